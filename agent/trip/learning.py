"""What a day teaches: from the run before and after an input to lessons for the days to come. Pure.

| seen | lesson |
| --- | --- |
| arrived, then delivered, without waiting for a window | how long the visit took, and until the first proof was taken |
| arrived at the next stop of the plan, from the one closed before | how long the leg took |
| arrived where an arrival had been forecast | how far off that was, in its standard deviations |
| another day begins | how far off the day as a whole was |

Nothing is learned before what is known was read from the store (`Run.known`): what is learned is told beside it.
"""

from datetime import datetime, timedelta
from itertools import groupby

from agent.learn import today as this_day
from agent.learn.conformal import UNCALIBRATED, band_of, moved, score
from agent.learn.expect import Expecting, Way
from agent.learn.keys import address_key
from agent.learn.known import Known
from agent.learn.lessons import DayLearned, Lessons, keys_of
from agent.learn.observe import Seen, leg_seen, visit_seen
from agent.learn.today import DaySums
from agent.trip.afterwards import UNDO_FOR
from agent.trip.effects import Decision, Recall, Refusal, Trouble
from agent.trip.eta import expected_arrivals
from agent.trip.inputs import ForgetTapped
from agent.trip.progress import leg_start
from agent.trip.punctuality import window_at
from agent.trip.run import Forecast, Run, RunStop, StopPhase, Taught, Today
from agent.trip.weather import service_factor, travel_factor
from wire.events import TimesSource

FORECAST_EVERY = timedelta(minutes=30)
"""How often expected arrivals are remembered, one of each band: neighbours say the same."""


def learned_at_stop(before: Run, decision: Decision, stop_id: str, now: datetime) -> Decision:
    """The decision with what a tap at a stop teaches."""
    run, known = decision.run, before.known
    was, stop = before.find(stop_id), run.find(stop_id)
    if known is None or was is None or stop is None or was.phase is stop.phase:
        return decision
    today = run.today
    if stop.phase is StopPhase.ARRIVED:
        today = _met(_driven(before, known, was, now), known, stop_id, now)
    elif was.phase is StopPhase.ARRIVED and stop.phase is StopPhase.COMPLETED:
        today = _visited(today, known, was, now, service_factor(before, now))
    elif stop.phase is StopPhase.COMPLETED:
        today = _met(today, known, stop_id, now)
    if stop.phase in (StopPhase.COMPLETED, StopPhase.FAILED):
        today = _without_forecasts(today, stop_id)
    return decision.model_copy(update={"run": run.model_copy(update={"today": today})})


def unlearned_at_stop(decision: Decision, stop_id: str) -> Decision:
    """The decision with what the visit of a stop taught taken back, as its closing is: it teaches when it has ended."""
    run = decision.run
    today = run.today
    taught = next((one for one in reversed(today.taught) if one.stop_id == stop_id), None)
    if decision.refusal is not None or taught is None:
        return decision
    today = today.model_copy(
        update={
            "visits": today.visits.minus(taught.took_s, taught.usual_s, taught.square),
            "lessons": today.lessons.minus(taught.lessons),
            "taught": tuple(one for one in today.taught if one is not taught),
        }
    )
    return decision.model_copy(update={"run": run.model_copy(update={"today": today})})


def forget_tapped(run: Run, tap: ForgetTapped) -> Decision:
    """Forgets the address of a stop."""
    stop = run.find(tap.stop_id)
    if stop is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.UNKNOWN_STOP, stop_id=tap.stop_id))
    return forgotten(run, address_key(stop.stop))


def forgotten(run: Run, address: str) -> Decision:
    """The run as if nothing had been learned about an address, and the request to erase it from the store too."""
    gone = keys_of(address)
    taught = tuple(
        one.model_copy(update={"lessons": tuple(lesson for lesson in one.lessons if lesson.key not in gone)})
        for one in run.today.taught
    )
    today = run.today.model_copy(update={"lessons": run.today.lessons.without(address), "taught": taught})
    known = None if run.known is None else run.known.without(address)
    # Read anew: an answer of the store that is on its way was read before this.
    return Decision(run=run.model_copy(update={"today": today, "known": known}), effects=(Recall(),), erased=address)


def day_over(run: Run) -> DayLearned | None:
    """All that the day of the run taught; None when nothing was learned on it."""
    if run.known is None or run.manifest is None or run.today.lessons == Lessons():
        return None
    about_days = [
        *this_day.lessons(run.known, run.today.visits, "visit"),
        *this_day.lessons(run.known, run.today.legs, "leg"),
    ]
    return DayLearned(day=run.manifest.day.toordinal(), lessons=run.today.lessons.plus(about_days))


def with_forecasts(run: Run, now: datetime) -> Run:
    """The run with an expected arrival of each band remembered, when it is time for that."""
    taken_at = run.today.forecasts_at
    if run.known is None or run.plan is None or (taken_at is not None and now - taken_at < FORECAST_EVERY):
        return run
    arrivals = [
        Forecast(stop_id=stop_id, band=band_of((one.at - now).total_seconds()), p50=one.at, sd_s=round(one.sd_s, 1))
        for stop_id, one in expected_arrivals(run, now).items()
    ]
    taken = []
    for _, members in groupby(arrivals, key=lambda one: one.band):
        band = list(members)
        taken.append(band[len(band) // 2])
    today = run.today.model_copy(update={"forecasts": (*run.today.forecasts, *taken), "forecasts_at": now})
    return run.model_copy(update={"today": today})


def _driven(before: Run, known: Known, stop: RunStop, now: datetime) -> Today:
    """A leg counts that began where a stop was closed and led to the next one of the plan."""
    today, plan, manifest = before.today, before.plan, before.manifest
    if plan is None or manifest is None or plan.times is not TimesSource.ROADS or before.next_stop != stop:
        return today
    if not all(other.stop.is_placed for other in (stop, *(one for one in before.stops if one.closed_at))):
        return today  # one end of the leg may be a place nobody knows
    leg = next((leg for leg in plan.legs if leg.stop_id == stop.stop_id), None)
    closed = [other.closed_at for other in before.stops if other.closed_at]
    began_at = leg_start(before, plan)[0]
    if leg is None or not closed or max(closed) > began_at:
        return today
    if began_at == plan.made_at and plan.made_at not in closed:
        return today  # planned anew on the way, or before the van set out
    road_s = leg.travel_s if leg.road_s is None else leg.road_s
    way = Way(road_s * travel_factor(before, began_at), began_at, manifest.timezone, stop.stop)
    seen = leg_seen(Expecting(known, today.visits, today.legs), way, (now - began_at).total_seconds())
    return today if seen is None else today.model_copy(update={"legs": _sums(today.legs, seen), **_taught(today, seen)})


def _visited(today: Today, known: Known, stop: RunStop, now: datetime, slower: float) -> Today:
    """`slower`: how many times as long it takes in this weather."""
    assert stop.arrived_at is not None
    expecting = Expecting(known, today.visits, today.legs)
    ready_at = stop.arrived_at + timedelta(seconds=expecting.visit(stop.stop).setup_s)
    window = window_at(stop.stop, ready_at)
    if window is not None and window.opens_at > ready_at:
        return today  # how long it stood before a closed door is no matter of the address
    proofs = [taken.taken_at for taken in stop.evidence if taken.taken_at >= stop.arrived_at]
    setup_s = (min(proofs) - stop.arrived_at).total_seconds() / slower if proofs else None
    seen = visit_seen(expecting, stop.stop, (now - stop.arrived_at).total_seconds() / slower, setup_s)
    if seen is None:
        return today
    taught = Taught(
        stop_id=stop.stop_id,
        at=now,
        lessons=seen.lessons,
        took_s=seen.took_s,
        usual_s=seen.usual_s,
        square=seen.square,
    )
    recent = tuple(one for one in today.taught if now - one.at <= UNDO_FOR and one.stop_id != stop.stop_id)
    return today.model_copy(
        update={"visits": _sums(today.visits, seen), **_taught(today, seen), "taught": (*recent, taught)}
    )


def _sums(sums: DaySums, seen: Seen) -> DaySums:
    return sums.plus(seen.took_s, seen.usual_s, seen.square)


def _taught(today: Today, seen: Seen) -> dict[str, Lessons]:
    return {"lessons": today.lessons.plus(seen.lessons)}


def _met(today: Today, known: Known, stop_id: str, now: datetime) -> Today:
    """The forecasts of a stop, now that the van is there."""
    shifts, lessons = dict(today.shifts), today.lessons
    for one in today.forecasts:
        if one.stop_id == stop_id:
            value = score((now - one.p50).total_seconds(), one.sd_s)
            lessons = lessons.plus_score(one.band, value)
            shifts[one.band] = moved(
                shifts.get(one.band, (0.0, 0.0)), known.ranges.get(one.band) or UNCALIBRATED, value
            )
    return _without_forecasts(today.model_copy(update={"lessons": lessons, "shifts": shifts}), stop_id)


def _without_forecasts(today: Today, stop_id: str) -> Today:
    left = tuple(one for one in today.forecasts if one.stop_id != stop_id)
    return today if left == today.forecasts else today.model_copy(update={"forecasts": left})
