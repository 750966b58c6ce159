"""What is left in the battery along an order, and what is wrong with its charging stops. For `check.py` alone, which
judges: the engines count by themselves.

A stretch begins at the van's place or at a charger and ends at the next charger or at the end of the day. Over a
stretch errors add up; a charger's display ends them.
"""

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from agent.localroute.battery import Z_95, Charge

if TYPE_CHECKING:  # check.py judges Answers, and is asked about them here
    from agent.localroute.problem import Answer, Problem

SHORT_COST = 1_000_000.0
"""For each stretch that ends below the reserve: a van that cannot get home is worse than any lateness of a day."""
SHORT_COST_PER_KWH = 100_000.0
"""So that of two such orders the one that gets further wins."""
HAIR_KWH = 1e-6


class Ledger:
    """The battery of one van along one order, as told step by step."""

    def __init__(self, problem: "Problem") -> None:
        assert problem.energy is not None
        self._problem, self._energy = problem, problem.energy
        self._left_with_kwh, self._left_with_sd_kwh = problem.energy.charge_kwh, problem.energy.charge_sd_kwh
        self._used_kwh: list[float] = []
        self._kg = problem.aboard.kg
        self.short_cost = 0.0

    @property
    def charge_kwh(self) -> float:
        """What is expected in the battery now; below 0 where the van would have stopped before."""
        return self._left_with_kwh - sum(self._used_kwh)

    @property
    def least_kwh(self) -> float:
        """What 95 of 100 vans have at least."""
        together = self._energy.common_sd_share * sum(self._used_kwh)
        apart = self._energy.leg_sd_share * sqrt(sum(used_kwh**2 for used_kwh in self._used_kwh))
        return self.charge_kwh - Z_95 * sqrt(self._left_with_sd_kwh**2 + together**2 + apart**2)

    def node_of(self, charger_id: str) -> int:
        ids = [charger.charger_id for charger in self._energy.chargers]
        return len(self._problem.visits) + 2 + ids.index(charger_id)

    def drive(self, here: int, there: int) -> None:
        if self._problem.travel_s[here][there] is None:
            return
        per_kg = self._energy.use_kwh_per_kg
        self._used_kwh.append(self._energy.use_kwh[here][there] + (per_kg[here][there] * self._kg if per_kg else 0.0))

    def serve(self, node: int) -> None:
        """The visit at this node is done, and what is loaded there is aboard."""
        if self._energy.standing_kwh:
            self._used_kwh.append(self._energy.standing_kwh[node - 1])
        self._kg += self._problem.visits[node - 1].load.kg

    def charge(self, charge: Charge) -> float:
        """Charges, and says for how many seconds the van stands there."""
        self.end()
        charger = next(one for one in self._energy.chargers if one.charger_id == charge.charger_id)
        seconds = charger.setup_s + charger.curve.seconds(self.charge_kwh, charge.to_kwh)
        self._left_with_kwh, self._left_with_sd_kwh = max(self.charge_kwh, charge.to_kwh), 0.0
        self._used_kwh = []
        return seconds

    def end(self) -> None:
        """A stretch ends here: what is below the reserve is to be paid."""
        self.short_cost += short_cost(self._energy.reserve_kwh - self.least_kwh)


def short_cost(short_kwh: float) -> float:
    """The price of a stretch that ends with so much less than the reserve."""
    return SHORT_COST + SHORT_COST_PER_KWH * short_kwh if short_kwh > HAIR_KWH else 0.0


def charge_faults(problem: "Problem", order: Sequence[str], charges: Sequence[Charge]) -> tuple[str, ...]:
    """What no van could do of these charging stops."""
    if not charges:
        return ()
    if problem.energy is None:
        return ("there are charging stops and no chargers",)
    known = {charger.charger_id for charger in problem.energy.chargers}
    found = [f"the charger {one.charger_id} is not in the problem" for one in charges if one.charger_id not in known]
    found += [
        f"at {one.charger_id} the van is to charge to {one.to_kwh:g} kWh, which is none of the levels"
        for one in charges
        if one.to_kwh not in problem.energy.levels_kwh
    ]
    found += [
        f"the van charges at {one.charger_id} before a stop that is frozen"
        for one in charges
        if one.place < len(problem.prefix)
    ]
    places = [one.place for one in charges]
    if places != sorted(places) or places[-1] > len(order):
        found.append("the charging stops are not in the order of their places")
    return tuple(found)


def shortages(problem: "Problem", answer: "Answer") -> tuple[str, ...]:
    """Where less than the reserve is left with a probability of 95 %."""
    if problem.energy is None:
        return ()
    reserve_kwh = problem.energy.reserve_kwh
    ends = [(f"at the charger {one.charger_id}", one.least_kwh) for one in answer.charges]
    ends.append(("at the end of the day", reserve_kwh if answer.end_least_kwh is None else answer.end_least_kwh))
    return tuple(
        f"{where} there may be {least_kwh:.1f} kWh left; {reserve_kwh:g} are the reserve"
        for where, least_kwh in ends
        if least_kwh < reserve_kwh - HAIR_KWH
    )
