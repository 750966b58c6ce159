"""What the planner says to the engine of the battery, and what it makes of its answer. Pure.

Nobody reads the battery: a charging stop of a plan is taken to be made when the stop behind it was reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.localroute.battery import Energy
from agent.localroute.experience import Experience
from agent.localroute.forecast import ChargerPlace, ElectricVan, charge_left, forecast
from agent.localroute.problem import Answer, Problem, Visit
from agent.trip.run import Outlook, PlanCharge, Run, StopPhase
from roads.answers import Matrix
from wire.geo import Place
from wire.manifest import Manifest

NEW = Experience()


@dataclass(frozen=True)
class Power:
    """The van, and the chargers at the end of the matrix."""

    van: ElectricVan
    chargers: tuple[ChargerPlace, ...]
    experience: Experience = NEW


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
    made = charged_so_far(run)
    known_kwh = made[-1].to_kwh if made else power.van.start_share * power.van.battery_kwh
    begins = made[-1].place if made else manifest.start.place
    visited = [
        stop
        for stop in sorted(run.stops, key=lambda stop: (stop.arrived_at is None, stop.arrived_at))
        if stop.arrived_at is not None and (not made or stop.arrived_at >= made[-1].leave_at)
    ]
    stood_s = sum(stop.stop.setup_s + stop.stop.service_s for stop in visited)
    charge = charge_left(power.van, known_kwh, [begins, *(stop.stop.place for stop in visited), here], stood_s)
    return forecast(
        power.van,
        power.experience,
        charge=charge,
        visits=visits,
        chargers=power.chargers,
        travel_s=times.travel_s,
        travel_m=times.travel_m,
    )


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
