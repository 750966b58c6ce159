from datetime import date

import pytest

from agent.gps.position import Motion
from agent.trip.decide import decide
from agent.trip.effects import Decision, Replan, SendLive
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    CommandArrived,
    ConditionsArrived,
    DeliveredTapped,
    FixJudged,
    LinkChanged,
    ManifestArrived,
    ManifestUnreadable,
    TimeFound,
)
from agent.trip.run import Run, StopPhase
from tests.builders import (
    a_closure,
    a_command,
    a_conditions,
    a_manifest,
    a_position,
    a_run,
    a_stop,
    at,
)
from wire.codec import content_hash
from wire.events import EventKind, Outcome, ReplanReason
from wire.manifest import CommandKind, Manifest


def enter(run: Run, *entered: AnyInput, minute: float = 5) -> Decision:
    decision = Decision(run=run)
    for one in entered:
        decision = decide(decision.run, one, at(minute))
    return decision


def said(decision: Decision) -> list[tuple[EventKind, dict[str, object]]]:
    return [(one.kind, one.body) for one in decision.outgoing]


def asked(decision: Decision) -> list[ReplanReason]:
    return [effect.reason for effect in decision.effects if isinstance(effect, Replan)]


def test_the_first_manifest_is_applied_and_planned() -> None:
    decision = enter(Run(), ManifestArrived(manifest=a_manifest(2)))
    assert [stop.stop_id for stop in decision.run.open_stops] == ["s1", "s2"]
    applied = {"version": 1, "sha256": content_hash(a_manifest(2))}
    assert said(decision) == [(EventKind.MANIFEST_APPLIED, applied)]
    assert asked(decision) == [ReplanReason.MANIFEST]
    assert decision.run.replan is not None


@pytest.mark.parametrize("again", [a_manifest(3), a_manifest(3, version=1), a_manifest(2, day=date(2026, 11, 22))])
def test_the_same_manifest_again_or_an_older_one_changes_nothing(again: Manifest) -> None:
    run = a_run(3)
    assert enter(run, ManifestArrived(manifest=again)) == Decision(run=run)


def test_an_older_version_changes_nothing() -> None:
    run = enter(a_run(3), ManifestArrived(manifest=a_manifest(2, version=5))).run
    assert enter(run, ManifestArrived(manifest=a_manifest(3, version=4))) == Decision(run=run)


def test_a_new_list_keeps_what_the_van_did() -> None:
    run = enter(a_run(3), DeliveredTapped(stop_id="s1", outcome=Outcome.TO_MAILBOX), ArrivedTapped(stop_id="s2")).run
    newer = a_manifest([a_stop(2, instruction="blue door"), a_stop(4), a_stop(1)], version=2)
    decision = enter(run, ManifestArrived(manifest=newer), minute=8)
    stops = {stop.stop_id: stop for stop in decision.run.stops}
    assert list(stops) == ["s2", "s4", "s1", "s3"]
    assert (stops["s1"].outcome, stops["s1"].closed_at) == (Outcome.TO_MAILBOX, at(5))
    assert (stops["s2"].phase, stops["s2"].stop.instruction) == (StopPhase.ARRIVED, "blue door")
    assert (stops["s3"].phase, stops["s3"].is_listed) == (StopPhase.CANCELLED, False)
    assert stops["s4"].phase is StopPhase.OPEN
    assert asked(decision) == [ReplanReason.MANIFEST]
    assert decision.run.version > run.version


def test_a_delivered_stop_that_is_cancelled_keeps_its_outcome_and_is_marked() -> None:
    run = enter(a_run(2), DeliveredTapped(stop_id="s1")).run
    stop = enter(run, ManifestArrived(manifest=a_manifest([a_stop(2)], version=2))).run.find("s1")
    assert stop is not None
    assert (stop.phase, stop.outcome, stop.is_listed) == (StopPhase.COMPLETED, Outcome.TO_RECIPIENT, False)


def test_a_stop_that_comes_back_onto_the_list_is_open_again() -> None:
    run = enter(a_run(2), ArrivedTapped(stop_id="s1")).run
    run = enter(run, ManifestArrived(manifest=a_manifest([a_stop(2)], version=2))).run
    stop = enter(run, ManifestArrived(manifest=a_manifest(2, version=3))).run.find("s1")
    assert stop is not None
    assert (stop.phase, stop.is_listed, stop.arrived_at) == (StopPhase.OPEN, True, None)


def test_a_new_stop_is_listed_behind_the_plan_until_it_is_planned() -> None:
    run = enter(a_run(2), ManifestArrived(manifest=a_manifest([a_stop(3), a_stop(1), a_stop(2)], version=2))).run
    assert [stop.stop_id for stop in run.open_stops] == ["s1", "s2", "s3"]


def test_a_new_day_starts_with_a_clean_list() -> None:
    run = enter(a_run(3), DeliveredTapped(stop_id="s1"), CommandArrived(command=a_command())).run
    tomorrow = a_manifest([a_stop(1), a_stop(7)], day=date(2026, 11, 24))
    after = enter(run, ManifestArrived(manifest=tomorrow)).run
    assert [(stop.stop_id, stop.phase) for stop in after.stops] == [("s1", StopPhase.OPEN), ("s7", StopPhase.OPEN)]
    assert after.plan is None
    assert after.commands_done == ("c1",)
    assert after.version > run.version


def test_a_version_that_comes_again_with_other_content_is_refused() -> None:
    run = a_run(3)
    decision = enter(run, ManifestArrived(manifest=a_manifest(2)))
    assert decision.run.model_copy(update={"refused": None}) == run
    assert said(decision) == [
        (EventKind.MANIFEST_REFUSED, {"version": 1, "why": "version 1 is already here with other content"})
    ]


def test_a_manifest_for_another_van_is_refused() -> None:
    decision = enter(a_run(3), ManifestArrived(manifest=a_manifest(3, van="van-2", version=9)))
    assert said(decision) == [(EventKind.MANIFEST_REFUSED, {"version": 9, "why": "it is for van-2 and this is van-1"})]


def test_a_manifest_that_is_refused_is_told_once_though_it_comes_with_each_connection() -> None:
    unreadable = ManifestUnreadable(version=7, why="schema 2 is newer than this agent")
    first = enter(a_run(3), unreadable)
    assert enter(first.run, unreadable) == Decision(run=first.run)
    other = enter(first.run, ManifestUnreadable(version=8, why="schema 2 is newer than this agent"))
    assert [body["version"] for _, body in said(other)] == [8]
    taken = enter(first.run, ManifestArrived(manifest=a_manifest(3, version=2)))
    assert len(said(enter(taken.run, unreadable))) == 1


def test_a_manifest_that_cannot_be_read_is_told_and_the_old_one_stays() -> None:
    run = a_run(3)
    decision = enter(run, ManifestUnreadable(version=7, why="schema 2 is newer than this agent"))
    assert decision.run.model_copy(update={"refused": None}) == run
    assert said(decision) == [(EventKind.MANIFEST_REFUSED, {"version": 7, "why": "schema 2 is newer than this agent"})]


def test_a_closed_road_asks_for_a_new_order() -> None:
    decision = enter(a_run(), ConditionsArrived(conditions=a_conditions(a_closure())))
    assert asked(decision) == [ReplanReason.ROAD_CLOSED]
    assert decision.run.version == 2


def test_conditions_without_another_closure_are_kept_without_a_new_plan() -> None:
    run = enter(a_run(), ConditionsArrived(conditions=a_conditions(a_closure()))).run
    decision = enter(run, ConditionsArrived(conditions=a_conditions(a_closure(), version=2)))
    assert decision.run.conditions == a_conditions(a_closure(), version=2)
    assert (decision.effects, decision.run.version) == ((), run.version)


def test_conditions_that_are_not_newer_are_ignored() -> None:
    run = enter(a_run(), ConditionsArrived(conditions=a_conditions(a_closure(), version=4))).run
    assert enter(run, ConditionsArrived(conditions=a_conditions(version=4))) == Decision(run=run)


def test_a_command_is_done_once_and_answered_each_time() -> None:
    first = enter(a_run(), CommandArrived(command=a_command()))
    again = enter(first.run, CommandArrived(command=a_command()), minute=60)
    done = [(EventKind.COMMAND_RESULT, {"command_id": "c1", "result": "done", "why": ""})]
    assert (said(first), asked(first)) == (done, [ReplanReason.COMMAND])
    assert (said(again), asked(again)) == (done, [])


def test_an_expired_command_is_answered_and_not_done() -> None:
    decision = enter(a_run(), CommandArrived(command=a_command()), minute=10)
    assert said(decision) == [(EventKind.COMMAND_RESULT, {"command_id": "c1", "result": "expired", "why": ""})]
    assert decision.effects == ()


def test_the_newest_picture_is_sent_when_the_coordinator_asks() -> None:
    decision = enter(a_run(), CommandArrived(command=a_command(CommandKind.SEND_LIVE)))
    assert decision.effects == (SendLive(),)


def test_a_plan_cannot_be_asked_for_before_there_is_a_list() -> None:
    decision = enter(Run(), CommandArrived(command=a_command()))
    assert decision.outgoing[0].body["result"] == "refused"


def test_the_link_is_noted_once_when_it_goes_and_once_when_it_returns() -> None:
    run = enter(a_run(), LinkChanged(is_online=False), minute=1).run
    assert enter(run, LinkChanged(is_online=False), minute=2).run.link_since == at(1)
    back = enter(run, LinkChanged(is_online=True), minute=3)
    assert (back.run.is_online, back.run.link_since, back.effects) == (True, at(3), (SendLive(),))
    assert back.run.version == 1


def test_a_fix_moves_the_van_and_no_version() -> None:
    position = a_position(fixed_at=at(5))
    decision = enter(a_run(), FixJudged(position=position, motion=Motion.MOVING))
    assert decision == Decision(run=a_run(position=position, motion=Motion.MOVING))


def test_a_command_does_not_expire_by_a_clock_that_nobody_trusts() -> None:
    command = a_command(expires_at=at(-1))
    doubted = enter(a_run(), CommandArrived(command=command, is_time_trusted=False))
    assert said(doubted) == [
        (EventKind.COMMAND_RESULT, {"command_id": command.command_id, "result": "done", "why": ""})
    ]


def test_the_time_that_was_found_out_is_told() -> None:
    found = TimeFound(boot=2, mono_ms=5, wall_ms=1_800_000_000_000, err_ms=1000, source="gps")
    ((kind, body),) = said(enter(a_run(), found))
    assert kind is EventKind.CLOCK_ANCHORED
    assert (body["boot"], body["mono_ms"], body["wall_ms"]) == (2, 5, 1_800_000_000_000)
