"""What the planner says to the engine of the battery, and what it makes of its answer. Pure.

What is in it is what the driver last read from its display. Until then, and since, it is computed; a charging stop of
a plan is taken to be made when the stop behind it was reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from agent.localroute.battery import Energy
from agent.localroute.experience import Experience
from agent.localroute.forecast import ChargerPlace, ElectricVan, charge_left, forecast
from agent.localroute.problem import Answer, Problem, Visit
from agent.trip.run import Outlook, PlanCharge, Run, StopPhase
from roads.answers import Matrix
from wire.geo import Place
from wire.manifest import Manifest, Stop

NEW = Experience()


@dataclass(frozen=True)
class Power:
    """The van, and the chargers at the end of the matrix."""

    van: ElectricVan
    chargers: tuple[ChargerPlace, ...]
    experience: Experience = NEW


class _Known(NamedTuple):
    kwh: float
    place: Place
    at: datetime | None
    """None: before the first stop of the day."""


def charged_so_far(run: Run) -> tuple[PlanCharge, ...]:
    """The charging stops of the day that are taken to be made."""
    if run.plan is None:
        return ()
    open_stops = {stop.stop_id for stop in run.open_stops if stop.phase is StopPhase.OPEN}
    made = [charge for leg in run.plan.legs if leg.stop_id not in open_stops for charge in leg.charges]
    return (*run.plan.charged, *made)


def energy_ahead(
    run: Run, manifest: Manifest, power: Power, *, visits: Sequence[Visit], times: Matrix, here: Place
) -> Energy:
    """The day's energy from where the van is."""
    known = _known(run, manifest, power.van)
    visited = [(at, stop) for at, stop in _arrivals(run) if known.at is None or at >= known.at]
    stood_s = sum(stop.setup_s + stop.service_s for _, stop in visited)
    charge = charge_left(power.van, known.kwh, [known.place, *(stop.place for _, stop in visited), here], stood_s)
    return forecast(
        power.van,
        power.experience,
        charge=charge,
        visits=visits,
        chargers=power.chargers,
        travel_s=times.travel_s,
        travel_m=times.travel_m,
    )


def _known(run: Run, manifest: Manifest, van: ElectricVan) -> _Known:
    """The newest of what was read, what a charger gave, and what the van set out with."""
    made = charged_so_far(run)
    known = _Known(van.start_share * van.battery_kwh, manifest.start.place, None)
    if made:
        known = _Known(made[-1].to_kwh, made[-1].place, made[-1].leave_at)
    read = run.charge
    if read is not None and (known.at is None or read.at >= known.at):
        been = [stop.place for at, stop in _arrivals(run) if at <= read.at]
        last = been[-1] if been else known.place
        known = _Known(read.share * van.battery_kwh, read.place or last, read.at)
    return known


def _arrivals(run: Run) -> list[tuple[datetime, Stop]]:
    """Where the van was, in the order in which it came there."""
    been = [(stop.arrived_at, stop.stop) for stop in run.stops if stop.arrived_at is not None]
    return sorted(been, key=lambda arrival: arrival[0])


def plan_charges(answer: Answer, place: int, now: datetime, power: Power | None) -> tuple[PlanCharge, ...]:
    """The charging stops on the way to the stop at `place` of the order."""
    known = {charger.charger_id: charger for charger in power.chargers} if power else {}
    return tuple(
        PlanCharge(
            charger_id=charge.charger_id,
            name=known[charge.charger_id].name,
            place=known[charge.charger_id].place,
            arrive_at=now + timedelta(seconds=charge.arrive_s),
            leave_at=now + timedelta(seconds=charge.leave_s),
            arrive_kwh=charge.arrive_kwh,
            to_kwh=charge.to_kwh,
        )
        for charge in answer.charges
        if charge.place == place
    )


def outlook(problem: Problem, answer: Answer, power: Power | None) -> Outlook | None:
    """Whether the day can be finished with this answer."""
    energy = problem.energy
    if power is None or energy is None or answer.end_kwh is None or answer.end_least_kwh is None:
        return None
    least_kwh = min(answer.end_least_kwh, *(charge.least_kwh for charge in answer.charges), energy.reserve_kwh)
    return Outlook(
        battery_kwh=power.van.battery_kwh,
        charge_kwh=energy.charge_kwh,
        end_kwh=answer.end_kwh,
        end_least_kwh=answer.end_least_kwh,
        reserve_kwh=energy.reserve_kwh,
        short_kwh=energy.reserve_kwh - least_kwh,
    )
