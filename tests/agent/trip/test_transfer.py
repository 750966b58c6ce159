"""A stop that changes vans, as each of the two vans lives it."""

from typing import Any

import pytest

from agent.trip.custody import to_bring_back
from agent.trip.decide import decide
from agent.trip.effects import Decision, Trouble
from agent.trip.goods import Custody, custody_of
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    CodeScanned,
    DeliveredTapped,
    FailedTapped,
    FixJudged,
    HandedOver,
    LoadConfirmed,
    LoadScanned,
    ManifestArrived,
    ParcelMarked,
    ReleaseAnswered,
    UndoTapped,
)
from agent.trip.run import Run, StopPhase
from agent.trip.transfer import asks_driver
from tests.agent.pod.test_scans import sscc, with_parcels
from tests.builders import a_manifest, a_place, a_position, a_stop, at, minutes
from wire.checks import ParcelState, ScanVerdict
from wire.events import EventKind, FailReason
from wire.handover import Handover, Parcel
from wire.manifest import Amount, Manifest, Stop, StopKind
from wire.transfer import GoodsHanded, KeptWhy, Meeting, ReleaseAsked, Side, StopKept, StopReleased

GIVE, TAKE = "m1-give", "m1-take"
AT_DEPOT = FixJudged(position=a_position(fixed_at=at(5)))
FAR_AWAY = FixJudged(position=a_position(a_place(north_m=5_000), fixed_at=at(5)))


def lived(run: Run, *inputs: AnyInput, minute: float = 5) -> Decision:
    """All that was said and the run it came to."""
    outgoing: list[Any] = []
    decision = Decision(run=run)
    for one in inputs:
        decision = decide(decision.run, one, at(minute))
        outgoing += decision.outgoing
    return decision.model_copy(update={"outgoing": tuple(outgoing)})


def words(decision: Decision, kind: EventKind) -> list[dict[str, Any]]:
    return [said.body for said in decision.outgoing if said.kind is kind]


def phase_of(run: Run, stop_id: str) -> StopPhase:
    stop = run.find(stop_id)
    assert stop is not None
    return stop.phase


def asking_for(stop_id: str = "s2", *, version: int = 2, transfer_id: str = "t1") -> ManifestArrived:
    asked = ReleaseAsked(transfer_id=transfer_id, stop_id=stop_id, to_van="van-2")
    return ManifestArrived(manifest=a_manifest(3, version=version, releases=(asked,)))


BEGUN = (ManifestArrived(manifest=a_manifest(3)),)


# Not aboard -----------------------------------------------------------------------------------------------------------


def test_a_stop_whose_goods_are_at_the_depot_is_released_at_once_and_no_longer_driven_to() -> None:
    decision = lived(Run(), *BEGUN, AT_DEPOT, asking_for())
    assert words(decision, EventKind.STOP_RELEASED) == [
        StopReleased(stop_id="s2", transfer_id="t1", to_van="van-2").model_dump(mode="json")
    ]
    assert [stop.stop_id for stop in decision.run.open_stops] == ["s1", "s3"]


def test_a_release_is_answered_once_however_often_the_list_comes() -> None:
    decision = lived(Run(), *BEGUN, AT_DEPOT, asking_for(), asking_for(version=3), AT_DEPOT)
    assert len(words(decision, EventKind.STOP_RELEASED)) == 1
    assert phase_of(decision.run, "s2") is StopPhase.CANCELLED


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ((LoadConfirmed(counted=3),), KeptWhy.ABOARD),
        ((ArrivedTapped(stop_id="s1"),), KeptWhy.ABOARD),  # who delivers has left with the goods, checked or not
        ((ArrivedTapped(stop_id="s2"),), KeptWhy.AT_THE_DOOR),
        ((DeliveredTapped(stop_id="s2"),), KeptWhy.CLOSED),
        ((FailedTapped(stop_id="s2", reason=FailReason.NOT_HOME),), KeptWhy.CLOSED),
    ],
)
def test_a_stop_is_kept_whose_goods_are_aboard_or_whose_door_was_reached(
    before: tuple[AnyInput, ...], why: KeptWhy
) -> None:
    decision = lived(Run(), *BEGUN, AT_DEPOT, *before, asking_for())
    kept = StopKept(stop_id="s2", transfer_id="t1", why=why).model_dump(mode="json")
    assert words(decision, EventKind.STOP_KEPT) == [kept]
    assert words(decision, EventKind.STOP_RELEASED) == []


def test_a_no_is_said_once_and_another_question_is_answered_anew() -> None:
    run = lived(Run(), *BEGUN, LoadConfirmed(counted=3)).run
    decision = lived(run, asking_for(), asking_for(version=3), AT_DEPOT, asking_for(version=4, transfer_id="t2"))
    assert [body["transfer_id"] for body in words(decision, EventKind.STOP_KEPT)] == ["t1", "t2"]


def test_parcels_that_the_load_check_missed_are_at_the_depot() -> None:
    coded = [with_parcels(1, 1), with_parcels(2, 2)]
    asked = ReleaseAsked(transfer_id="t1", stop_id="s2", to_van="van-2")
    decision = lived(
        Run(),
        ManifestArrived(manifest=a_manifest(coded)),
        LoadScanned(code=sscc(1)),
        LoadConfirmed(),
        ManifestArrived(manifest=a_manifest(coded, version=2, releases=(asked,))),
    )
    assert len(words(decision, EventKind.STOP_RELEASED)) == 1


def test_a_stop_that_came_onto_the_list_after_the_load_check_is_not_aboard() -> None:
    decision = lived(
        Run(),
        ManifestArrived(manifest=a_manifest(2)),
        LoadConfirmed(counted=2),
        ManifestArrived(manifest=a_manifest(3, version=2)),
        asking_for("s3", version=3),
    )
    assert len(words(decision, EventKind.STOP_RELEASED)) == 1


def test_what_a_sender_still_has_is_released_wherever_the_van_is() -> None:
    stops = [a_stop(1), a_stop(2, kind=StopKind.PICKUP)]
    asked = ReleaseAsked(transfer_id="t1", stop_id="s2", to_van="van-2")
    decision = lived(
        Run(),
        ManifestArrived(manifest=a_manifest(stops)),
        DeliveredTapped(stop_id="s1"),
        ManifestArrived(manifest=a_manifest(stops, version=2, releases=(asked,))),
    )
    assert len(words(decision, EventKind.STOP_RELEASED)) == 1


def test_away_from_the_depot_without_a_load_check_the_driver_is_asked() -> None:
    decision = lived(Run(), *BEGUN, FAR_AWAY, asking_for())
    assert [asked.stop_id for asked in asks_driver(decision.run, at(5))] == ["s2"]
    assert not words(decision, EventKind.STOP_RELEASED)
    assert not words(decision, EventKind.STOP_KEPT)
    no = lived(decision.run, ReleaseAnswered(stop_id="s2", is_aboard=True))
    assert words(no, EventKind.STOP_KEPT)[0]["why"] == "aboard"
    yes = lived(decision.run, ReleaseAnswered(stop_id="s2", is_aboard=False))
    assert len(words(yes, EventKind.STOP_RELEASED)) == 1
    assert decide(yes.run, ReleaseAnswered(stop_id="s2", is_aboard=True), at(6)).refusal is not None


def test_what_could_not_be_answered_is_answered_when_it_is_known() -> None:
    decision = lived(Run(), *BEGUN, FAR_AWAY, asking_for(), LoadConfirmed(counted=3))
    assert words(decision, EventKind.STOP_KEPT)[0]["why"] == "aboard"


def test_a_release_that_the_dispatcher_took_back_gives_the_stop_back() -> None:
    decision = lived(Run(), *BEGUN, AT_DEPOT, asking_for(), ManifestArrived(manifest=a_manifest(3, version=3)))
    assert [stop.stop_id for stop in decision.run.open_stops] == ["s1", "s2", "s3"]


def test_a_stop_that_is_asked_for_again_before_the_answer_was_heard_is_answered_again() -> None:
    decision = lived(Run(), *BEGUN, AT_DEPOT, asking_for(), asking_for(version=4, transfer_id="t2"))
    assert [body["transfer_id"] for body in words(decision, EventKind.STOP_RELEASED)] == ["t1", "t2"]
    assert [stop.stop_id for stop in decision.run.open_stops] == ["s1", "s3"]


def test_a_stop_that_went_to_another_van_does_not_come_back_to_the_depot() -> None:
    rest = a_manifest([a_stop(1), a_stop(3)], version=3)
    run = lived(Run(), *BEGUN, AT_DEPOT, asking_for(), ManifestArrived(manifest=rest)).run
    assert to_bring_back(run) == ()


# Aboard: two vans meet ------------------------------------------------------------------------------------------------


def meeting_place(side: Side, *parcels: int) -> Stop:
    codes = tuple(Parcel(code=sscc(number)) for number in parcels)
    return a_stop(
        9,
        stop_id=GIVE if side is Side.GIVES else TAKE,
        kind=StopKind.HANDOVER,
        amount=Amount(parcels=0),
        handover=Handover(parcels=codes),
    )


def meets(side: Side, *, stops: tuple[Stop, ...] = (), of: tuple[str, ...] = ("s1", "s2"), **more: Any) -> Manifest:
    """The list of the van that gives (or takes) s1 and s2; s3 is its own."""
    place = meeting_place(side, *more.pop("parcels", ()))
    meeting = Meeting(
        meeting_id="m1",
        stop_id=place.stop_id,
        other_van="van-2" if side is Side.GIVES else "van-1",
        side=side,
        stop_ids=of,
    )
    van = "van-1" if side is Side.GIVES else "van-2"
    listed = stops or (a_stop(1), a_stop(2), a_stop(3))
    return a_manifest((*listed, place), **{"van": van, "version": 2, "meetings": (meeting,), **more})


GIVES = (*BEGUN, LoadConfirmed(counted=3), ManifestArrived(manifest=meets(Side.GIVES)))
TAKES = (ManifestArrived(manifest=meets(Side.TAKES)),)


@pytest.mark.parametrize(("before", "place"), [(GIVES, GIVE), (TAKES, TAKE)])
def test_until_they_meet_neither_van_drives_to_what_changes_hands(before: tuple[AnyInput, ...], place: str) -> None:
    run = lived(Run(), *before).run
    assert sorted(stop.stop_id for stop in run.open_stops) == [place, "s3"]


def test_what_is_given_is_no_longer_this_van_s() -> None:
    decision = lived(Run(), *GIVES, HandedOver(stop_id=GIVE))
    told = [GoodsHanded.model_validate(body) for body in words(decision, EventKind.GOODS_HANDED)]
    assert [(one.stop_id, one.side, one.other_van, one.is_handed) for one in told] == [
        ("s1", Side.GIVES, "van-2", True),
        ("s2", Side.GIVES, "van-2", True),
    ]
    assert words(decision, EventKind.STOP_COMPLETED)[0]["outcome"] == "handed_over"
    assert [stop.stop_id for stop in decision.run.open_stops] == ["s3"]
    assert decide(decision.run, DeliveredTapped(stop_id="s1"), at(6)).refusal is not None
    assert to_bring_back(decision.run) == ()


def test_what_is_taken_is_driven_to_and_delivered_from_here_on() -> None:
    before = lived(Run(), *TAKES).run
    early = decide(before, DeliveredTapped(stop_id="s1"), at(6))
    assert early.refusal is not None
    assert early.refusal.trouble is Trouble.NOT_TAKEN
    decision = lived(before, HandedOver(stop_id=TAKE))
    assert sorted(stop.stop_id for stop in decision.run.open_stops) == ["s1", "s2", "s3"]
    taken = decision.run.find("s1")
    assert taken is not None
    assert custody_of(decision.run, taken, at(6)) is Custody.ABOARD
    assert decide(decision.run, DeliveredTapped(stop_id="s1"), at(6)).refusal is None


@pytest.mark.parametrize(("before", "place", "mine"), [(GIVES, GIVE, ["s2", "s3"]), (TAKES, TAKE, ["s1", "s3"])])
def test_a_part_may_change_vans_and_each_stop_is_told_of(
    before: tuple[AnyInput, ...], place: str, mine: list[str]
) -> None:
    decision = lived(Run(), *before, HandedOver(stop_id=place, stop_ids=("s1",)))
    told = {body["stop_id"]: body["is_handed"] for body in words(decision, EventKind.GOODS_HANDED)}
    assert told == {"s1": True, "s2": False}
    assert sorted(stop.stop_id for stop in decision.run.open_stops) == mine


def test_what_was_delivered_before_the_meeting_is_not_given() -> None:
    decision = lived(Run(), *GIVES, DeliveredTapped(stop_id="s1"), HandedOver(stop_id=GIVE))
    assert [body["stop_id"] for body in words(decision, EventKind.GOODS_HANDED)] == ["s2"]


def test_a_meeting_to_which_nobody_came_leaves_the_stops_with_the_van_that_has_the_goods() -> None:
    no_show = {"reason": FailReason.NOT_HOME}
    gives = lived(Run(), *GIVES, FailedTapped(stop_id=GIVE, **no_show))
    assert [body["is_handed"] for body in words(gives, EventKind.GOODS_HANDED)] == [False, False]
    assert sorted(stop.stop_id for stop in gives.run.open_stops) == ["s1", "s2", "s3"]
    takes = lived(Run(), *TAKES, FailedTapped(stop_id=TAKE, **no_show))
    assert [stop.stop_id for stop in takes.run.open_stops] == ["s3"]
    assert to_bring_back(takes.run) == ()


@pytest.mark.parametrize(("before", "place"), [(GIVES, GIVE), (TAKES, TAKE)])
def test_the_word_at_a_meeting_can_be_taken_back_for_seconds(before: tuple[AnyInput, ...], place: str) -> None:
    run = lived(Run(), *before).run
    handed = decide(run, HandedOver(stop_id=place), at(6)).run
    undone = decide(handed, UndoTapped(stop_id=place), at(6) + minutes(0.1))
    assert [body["is_handed"] for body in words(undone, EventKind.GOODS_HANDED)] == [False, False]
    assert [
        (stop.stop_id, stop.phase, stop.passed, stop.taken_at) for stop in undone.run.stops if "s" in stop.stop_id
    ] == [(stop.stop_id, stop.phase, stop.passed, stop.taken_at) for stop in run.stops if "s" in stop.stop_id]
    again = decide(undone.run, HandedOver(stop_id=place), at(7))
    assert [body["is_handed"] for body in words(again, EventKind.GOODS_HANDED)] == [True, True]


def test_given_goods_stay_given_whatever_list_was_made_before_that_was_heard() -> None:
    late = a_manifest(3, version=5)
    run = lived(Run(), *GIVES, HandedOver(stop_id=GIVE), ManifestArrived(manifest=late)).run
    assert [stop.stop_id for stop in run.open_stops] == ["s3"]


def test_only_another_meeting_brings_given_goods_back() -> None:
    place = meeting_place(Side.TAKES).model_copy(update={"stop_id": "m2-take"})
    back = Meeting(meeting_id="m2", stop_id="m2-take", other_van="van-2", side=Side.TAKES, stop_ids=("s1",))
    listed = a_manifest((a_stop(1), a_stop(3), place), version=6, meetings=(back,))
    run = lived(Run(), *GIVES, HandedOver(stop_id=GIVE), ManifestArrived(manifest=listed)).run
    assert sorted(stop.stop_id for stop in run.open_stops) == ["m2-take", "s3"]
    after = lived(run, HandedOver(stop_id="m2-take")).run
    assert sorted(stop.stop_id for stop in after.open_stops) == ["s1", "s3"]


def test_two_vans_that_met_after_the_meeting_was_called_off_still_say_what_they_did() -> None:
    decision = lived(Run(), *GIVES, ManifestArrived(manifest=a_manifest(3, version=3)), HandedOver(stop_id=GIVE))
    assert [body["is_handed"] for body in words(decision, EventKind.GOODS_HANDED)] == [True, True]


def test_parcels_are_scanned_at_a_meeting_and_those_not_there_are_named() -> None:
    coded = (with_parcels(1, 1, 2), a_stop(2), a_stop(3))
    run = lived(Run(), ManifestArrived(manifest=meets(Side.TAKES, stops=coded, parcels=(1, 2)))).run
    scanned = decide(run, CodeScanned(stop_id=TAKE, code=sscc(1)), at(5)).run
    place = scanned.find(TAKE)
    assert place is not None
    assert place.hand.last_scan is not None
    assert place.hand.last_scan.verdict is ScanVerdict.RIGHT
    decision = lived(
        scanned, ParcelMarked(stop_id=TAKE, code=sscc(2), state=ParcelState.MISSING), HandedOver(stop_id=TAKE)
    )
    first = GoodsHanded.model_validate(words(decision, EventKind.GOODS_HANDED)[0])
    assert (first.parcels, first.missing) == (1, (sscc(2),))


def test_goods_of_another_van_are_no_part_of_the_load() -> None:
    coded = (with_parcels(1, 1), a_stop(2), with_parcels(3, 3))
    run = lived(Run(), ManifestArrived(manifest=meets(Side.TAKES, stops=coded, parcels=(1,)))).run
    scanned = decide(run, LoadScanned(code=sscc(1)), at(5)).run
    assert scanned.load.last_scan is not None
    assert scanned.load.last_scan.verdict is ScanVerdict.UNKNOWN
    told = words(lived(run, LoadScanned(code=sscc(3)), LoadConfirmed()), EventKind.LOAD_CHECKED)[0]
    assert (told["expected"], told["aboard"], told["missing"]) == (1, 1, [])
