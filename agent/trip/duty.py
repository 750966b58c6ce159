"""Whether the van is on duty: only then it keeps and tells where it is. Pure.

| | |
| --- | --- |
| begins | an hour before the shift of the day's list, or with the driver's first tap at a stop |
| pauses, goes on | with one tap |
| ends | with the shift once no stop is open, two hours after it in any case; one tap says that work goes on |

Off duty no fix enters the run: there is no position to draw, to send, to stamp a proof with or to arrive by, no
breadcrumb, and no input in the log. What is told is that it is so, and since when.
"""

from datetime import datetime, timedelta

from agent.gps.dwell import Dwell
from agent.gps.position import Motion
from agent.trip.arrivals import TAP_PLACE_FOR
from agent.trip.effects import Decision, Outgoing, Refusal, SendLive, Trouble
from agent.trip.inputs import DutyTapped
from agent.trip.run import OffDuty, Run, Standing, StopPhase
from wire.codec import to_json
from wire.events import DutyChanged, EventKind, OffDutyWhy

BEFORE_SHIFT = timedelta(hours=1)
"""Loading and the drive to the first stop are work."""
OVERTIME = timedelta(hours=2)
"""A round that is late is still a round; a van that was forgotten on is not."""


def duty_tapped(run: Run, tap: DutyTapped, now: datetime) -> Decision:
    """The driver's word; it holds against the clock of the shift."""
    if run.manifest is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.NO_MANIFEST))
    if tap.is_on_duty:
        run = run.model_copy(update={"on_duty_until": now + OVERTIME})
        return Decision(run=run) if run.off_duty is None else _on(Decision(run=run), now)
    if run.off_duty is not None and run.off_duty.why is OffDutyWhy.PAUSED:
        return Decision(run=run)
    return _off(Decision(run=run), OffDutyWhy.PAUSED, now)


def duty_of_list(before: Run, decision: Decision, now: datetime) -> Decision:
    """A list of another day begins another shift; a newer list of the same day leaves a pause as it is."""
    manifest = decision.run.manifest
    if manifest is None or (before.manifest is not None and before.manifest.day == manifest.day):
        return decision
    run = decision.run.model_copy(update={"on_duty_until": None})
    decision = decision.model_copy(update={"run": run})
    if now < manifest.shift_starts_at - BEFORE_SHIFT:
        return _off(decision, OffDutyWhy.NOT_BEGUN, now)
    return decision if run.off_duty is None else _on(decision, now)


def duty_at_minute(decision: Decision, now: datetime) -> Decision:
    """Begins and ends with the shift."""
    run = decision.run
    if run.manifest is None:
        return decision
    if run.off_duty is not None:
        # Over by a clock that was ahead, or by a list that has grown since: work goes on.
        is_by_the_clock = run.off_duty.why in (OffDutyWhy.NOT_BEGUN, OffDutyWhy.SHIFT_OVER)
        has_begun = now >= run.manifest.shift_starts_at - BEFORE_SHIFT
        goes_on = is_by_the_clock and has_begun and not _is_over(run, now)
        return _on(decision, now) if goes_on else decision
    return _off(decision, OffDutyWhy.SHIFT_OVER, now) if _is_over(run, now) else decision


def begun_by(decision: Decision, now: datetime) -> Decision:
    """Who works at a stop has begun to work."""
    run = decision.run
    if decision.refusal is not None or run.off_duty is None or run.off_duty.why is not OffDutyWhy.NOT_BEGUN:
        return decision
    return _on(decision.model_copy(update={"run": run.model_copy(update={"on_duty_until": now + OVERTIME})}), now)


def _is_over(run: Run, now: datetime) -> bool:
    if run.manifest is None or (run.on_duty_until is not None and now < run.on_duty_until):
        return False
    ends_at = run.manifest.shift_ends_at
    return now >= ends_at and (not run.open_stops or now >= ends_at + OVERTIME)


def _on(decision: Decision, now: datetime) -> Decision:
    run = decision.run.model_copy(update={"off_duty": None, "standings": _stood_at(decision.run, now)})
    return _told(decision, run, DutyChanged(is_on_duty=True))


def _stood_at(run: Run, now: datetime) -> tuple[Standing, ...]:
    """The stop that the van had come to and was not seen to leave: from here on it is seen to, by the address. A stop
    that the driver has only just tapped is stood at where the van stands (`arrivals.py`).
    """
    return tuple(
        Standing(stop_id=stop.stop_id, place=stop.stop.place, dwell=Dwell(since=stop.arrived_at, has_come=True))
        for stop in run.stops
        if stop.phase is StopPhase.ARRIVED
        and stop.arrived_at is not None
        and (stop.departed_at is None or stop.departed_at < stop.arrived_at)
        and (stop.arrived_by is not None or now - stop.arrived_at > TAP_PLACE_FOR)
    )


def _off(decision: Decision, why: OffDutyWhy, now: datetime) -> Decision:
    run = decision.run.model_copy(
        update={
            "off_duty": OffDuty(why=why, since=now),
            "position": None,
            "motion": Motion.UNKNOWN,
            "standings": (),
        }
    )
    return _told(decision, run, DutyChanged(is_on_duty=False, why=why))


def _told(decision: Decision, run: Run, changed: DutyChanged) -> Decision:
    said = Outgoing(kind=EventKind.DUTY_CHANGED, body=to_json(changed))
    return decision.model_copy(
        update={"run": run, "outgoing": (*decision.outgoing, said), "effects": (*decision.effects, SendLive())}
    )
