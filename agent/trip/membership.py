"""What the coordinator says: which stops are on the list, which roads are closed, what it asks for. Pure.

The coordinator owns membership, the van owns order and outcome, so nothing has to be merged: a stop that is closed here
keeps its outcome whatever the new list says, and a stop that left the list is kept, marked as taken off.
"""

from datetime import datetime
from typing import Literal

from agent.learn.keys import key_of_words
from agent.trip.effects import Decision, Effect, Outgoing, Recall, SendLive
from agent.trip.elsewhere import kept_for
from agent.trip.found import relisted, stays
from agent.trip.hand import Load
from agent.trip.inputs import (
    CommandArrived,
    ConditionsArrived,
    LinkChanged,
    ManifestArrived,
    ManifestUnreadable,
    TimeFound,
)
from agent.trip.learning import day_over, forgotten
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.offers import without_offer
from agent.trip.plans import asking, changed
from agent.trip.run import Run, RunStop, StopPhase, Today
from wire.codec import content_hash, to_json
from wire.events import ClockAnchored, CommandResult, EventKind, ManifestApplied, ManifestRefused, ReplanReason
from wire.manifest import CommandKind, Manifest, Stop
from wire.transfer import Side

LEDGER_LENGTH = 500


def manifest_arrived(run: Run, arrived: ManifestArrived, now: datetime) -> Decision:
    """Applies a newer manifest, ignores an older one or the same again, refuses one that contradicts ours."""
    manifest, known = arrived.manifest, run.manifest
    digest = content_hash(manifest)
    stops = merged((), manifest)
    if known is not None:
        if manifest.van != known.van:
            return _refused(run, manifest.version, f"it is for {manifest.van} and this is {known.van}")
        is_older = (manifest.day, manifest.version) < (known.day, known.version)
        if is_older or digest == run.manifest_hash:
            return Decision(run=run)
        if (manifest.day, manifest.version) == (known.day, known.version):
            return _refused(run, manifest.version, f"version {manifest.version} is already here with other content")
        if manifest.day == known.day:
            stops = merged(run.stops, manifest)
    is_new_day = known is not None and known.day != manifest.day
    learned = day_over(run) if is_new_day else None
    rested_on = _rests_on(run)
    run = run.model_copy(
        update={
            "manifest": manifest,
            "manifest_hash": digest,
            "refused": None,
            "stops": stops,
            "elsewhere": kept_for(run.elsewhere, manifest),
            "plan": None if is_new_day else run.plan,
            "alarms": () if is_new_day else run.alarms,
            **(
                {
                    "kept": None,
                    "answered": None,
                    "charge": None,
                    "today": Today(),
                    "standings": (),
                    "load": Load(),
                    "label": None,
                }
                if is_new_day
                else {}
            ),
        }
    )
    if _rests_on(run) != rested_on:
        run = without_offer(run)
    run, effects = asking(changed(run), ReplanReason.MANIFEST, now)
    applied = Outgoing(
        kind=EventKind.MANIFEST_APPLIED, body=to_json(ManifestApplied(version=manifest.version, sha256=digest))
    )
    return Decision(run=run, outgoing=(applied,), effects=(*effects, Recall()), learned=learned)


def merged(stops: tuple[RunStop, ...], manifest: Manifest) -> tuple[RunStop, ...]:
    """The stops of a new list in its order, with what became of them; behind them those that it no longer names."""
    known = {stop.stop_id: stop for stop in stops}
    listed = tuple(_met(_listed(known.pop(stop.stop_id, None), stop, manifest), manifest) for stop in manifest.stops)
    made = tuple(stop for stop in known.values() if stays(stop, manifest))
    gone = (stop for stop in known.values() if not stays(stop, manifest))
    return (*listed, *made, *(_moved(stop, StopEvent.UNLISTED, is_listed=False) for stop in gone))


def manifest_unreadable(run: Run, unreadable: ManifestUnreadable) -> Decision:
    """Says so to the coordinator; the manifest in force stays."""
    return _refused(run, unreadable.version, unreadable.why)


def conditions_arrived(run: Run, arrived: ConditionsArrived, now: datetime) -> Decision:
    """Keeps the newest conditions; looks for a new order when closures or speeds are others than before."""
    conditions, known = arrived.conditions, run.conditions
    if known is not None and conditions.version <= known.version:
        return Decision(run=run)
    before = (known.closures, known.speeds) if known else ((), ())
    run = run.model_copy(update={"conditions": conditions})
    if (conditions.closures, conditions.speeds) == before:
        return Decision(run=run)
    run, effects = asking(changed(without_offer(run)), ReplanReason.ROAD_CLOSED, now)
    return Decision(run=run, effects=effects)


def command_arrived(run: Run, arrived: CommandArrived, now: datetime) -> Decision:
    """Does a command once. A repeated one is answered and not done again; an expired one is not done."""
    command = arrived.command
    if command.command_id in run.commands_done:
        return Decision(run=run, outgoing=(_result(command.command_id, "done"),))
    if arrived.is_time_trusted and now >= command.expires_at:
        return Decision(run=run, outgoing=(_result(command.command_id, "expired"),))
    if command.kind is CommandKind.REPLAN and run.manifest is None:
        return Decision(run=run, outgoing=(_result(command.command_id, "refused", "there is no list for today yet"),))
    forgets = command.kind is CommandKind.FORGET_TIMES
    address = key_of_words(command.address) if forgets and command.address else None
    if forgets and address is None:
        return Decision(run=run, outgoing=(_result(command.command_id, "refused", "street or number is missing"),))
    ledger = (*run.commands_done, command.command_id)[-LEDGER_LENGTH:]
    run = run.model_copy(update={"commands_done": ledger})
    effects: tuple[Effect, ...] = (SendLive(),)
    if command.kind is CommandKind.REPLAN:
        run, effects = asking(run, ReplanReason.COMMAND, now)
    decision = Decision(run=run) if address is None else forgotten(run, address)
    return decision.model_copy(
        update={"outgoing": (_result(command.command_id, "done"),), "effects": (*effects, *decision.effects)}
    )


def time_found(run: Run, found: TimeFound) -> Decision:
    """Tells the coordinator, which then knows when the records before this one were made."""
    anchored = ClockAnchored(
        boot=found.boot,
        mono_ms=found.mono_ms,
        wall_ms=found.wall_ms,
        wall_err_ms=found.err_ms,
        source=found.source,
    )
    return Decision(run=run, outgoing=(Outgoing(kind=EventKind.CLOCK_ANCHORED, body=to_json(anchored)),))


def link_changed(run: Run, change: LinkChanged, now: datetime) -> Decision:
    """Remembers since when the link is as it is. The newest picture goes up first when it is back."""
    if change.is_online == run.is_online and run.link_since is not None:
        return Decision(run=run)
    run = run.model_copy(update={"is_online": change.is_online, "link_since": now})
    return Decision(run=run, effects=(SendLive(),) if change.is_online else ())


def _rests_on(run: Run) -> object:
    """Of a list, what an order is made from: a new one that only words something anew leaves an offer as it was."""
    if run.manifest is None:
        return None
    stops = [
        (stop.stop_id, stop.stop.place, stop.stop.windows, stop.stop.setup_s, stop.stop.service_s, stop.stop.is_locked)
        for stop in run.open_stops
    ]
    return run.manifest.day, run.manifest.policy, run.manifest.end, run.manifest.shift_ends_at, sorted(stops)


def _met(stop: RunStop, manifest: Manifest) -> RunStop:
    """The stop with what two vans meet there for, where they do; one that is over keeps what it was."""
    meeting = next((one for one in manifest.meetings if one.stop_id == stop.stop_id), None)
    return stop if meeting is None else stop.model_copy(update={"meeting": meeting})


def _is_passed(known: RunStop, manifest: Manifest) -> bool:
    """Whether a stop that went to another van is still that one's, though it is on the list.

    A release that is no longer asked for was taken back by the dispatcher before it was heard of. Goods that were given
    are with the other van, whatever a list says that was made before that was heard: a meeting brings them back, or a
    list that names the stop again after one that did not.
    """
    if known.passed is None:
        return False
    if known.passed.is_given:
        takes = (one for one in manifest.meetings if one.side is Side.TAKES)
        comes_back = any(known.stop_id in one.stop_ids for one in takes if one.meeting_id != known.passed.transfer_id)
        return known.is_listed and not comes_back
    mine = (asked for asked in manifest.releases if asked.stop_id == known.stop_id)
    return any(asked.transfer_id == known.passed.transfer_id for asked in mine)


def _listed(known: RunStop | None, stop: Stop, manifest: Manifest) -> RunStop:
    """The stop as the new list has it. A closed one keeps the words under which it was closed."""
    if known is None:
        return RunStop(stop=stop)
    if known.phase in (StopPhase.COMPLETED, StopPhase.FAILED):
        return known.model_copy(update={"is_listed": True, "is_found": False})
    hand, before = known.hand, known.before
    if stop.handover.pin_hash != known.stop.handover.pin_hash:
        # Another PIN: what was tried or passed was the old one's.
        hand = hand.model_copy(update={"pin_tries": 0, "pin_passed_at": None})
        before = None
    fresh = known.model_copy(update={**relisted(known, stop, manifest), "hand": hand, "before": before})
    if _is_passed(known, manifest):
        return fresh.model_copy(update={"is_listed": True})
    if known.passed is not None:
        fresh = fresh.model_copy(update={"passed": None, "taken_at": None})
    return _moved(fresh, StopEvent.LISTED, is_listed=True)


def _moved(stop: RunStop, event: StopEvent, *, is_listed: bool) -> RunStop:
    phase = next_phase(stop.phase, event) or stop.phase
    arrived_at = None if phase is StopPhase.OPEN else stop.arrived_at
    return stop.model_copy(update={"phase": phase, "arrived_at": arrived_at, "is_listed": is_listed})


def _refused(run: Run, version: int | None, why: str) -> Decision:
    """Told once: the same list is here again after each drop of the link."""
    refused = ManifestRefused(version=version, why=why)
    if refused == run.refused:
        return Decision(run=run)
    outgoing = Outgoing(kind=EventKind.MANIFEST_REFUSED, body=to_json(refused))
    return Decision(run=run.model_copy(update={"refused": refused}), outgoing=(outgoing,))


def _result(command_id: str, result: Literal["done", "expired", "refused"], why: str = "") -> Outgoing:
    body = to_json(CommandResult(command_id=command_id, result=result, why=why))
    return Outgoing(kind=EventKind.COMMAND_RESULT, body=body)
