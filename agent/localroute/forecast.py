"""An electric van's day as the engine wants it: what is in the battery, what each leg takes, where it may be charged.

The van is taken to have set out with `start_share` of its battery where nobody read it since; then it took what is
computed for the stops it was at, by straight lines, which is off by a fifth and is told as such.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from agent.localroute.battery import Charger, ChargingCurve, Energy
from agent.localroute.energy import USUAL_C, VanEnergy, leg_use, reserve_kwh, standing_use
from agent.localroute.experience import Experience
from agent.localroute.problem import Visit
from wire.geo import Place, distance_m
from wire.model import Latitude, Longitude, StopId, Value

MOST_CHARGERS = 8
"""The nearest to the van or one of its stops: each more makes the matrix larger and the search slower."""
BEHIND_SHARE = 0.2
"""By how much what was taken since the battery was last known may be off: standard deviation."""
KNOWN_SHARE = 0.02
"""By how much of the battery its charge is off where it is known best."""
ROAD_PER_LINE, TOWN_MPS = 1.4, 7.0
"""Behind the van nobody looks at roads any more: straight lines are lengthened, and driven at a speed of towns."""
LEG_SD_SHARE = 0.2
type Cells = Sequence[Sequence[float | None]]


class ChargerPlace(Value):
    """Where this van may charge on the road."""

    charger_id: StopId
    name: str = ""
    lat_deg: Latitude
    lon_deg: Longitude
    power_kw: Annotated[float, Field(gt=0)]
    """What it gives this van, which with alternating current hangs on the charger on board."""
    setup_s: Annotated[float, Field(ge=0)] = 180.0

    @property
    def place(self) -> Place:
        return Place(lat_deg=self.lat_deg, lon_deg=self.lon_deg)


class ElectricVan(Value):
    """One electric van: `[energy]` in VAN.toml. Kilowatt hours, kilowatts, degrees Celsius."""

    battery_kwh: Annotated[float, Field(gt=0)]
    """What may be used of it."""
    start_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """With how much of it the van sets out in the morning."""
    van: VanEnergy = VanEnergy()
    temperature_c: float = USUAL_C
    slows_at: tuple[tuple[float, float], ...] = ((0.8, 1.0), (0.92, 0.5), (1.0, 0.2))
    """Up to this share of the battery, this share of a charger's power is taken."""
    level_share: Annotated[float, Field(ge=0.01, le=1)] = 0.05
    """A driver is told to charge to so much, or twice, or three times so much of the battery."""
    chargers: tuple[ChargerPlace, ...] = ()

    @model_validator(mode="after")
    def curve_ends_full(self) -> Self:
        shares = [share for share, _ in self.slows_at]
        if shares != sorted(set(shares)) or not shares or shares[0] <= 0 or shares[-1] != 1.0:
            raise ValueError("slows_at: shares of the battery grow and end with 1")
        if any(not 0 < power <= 1 for _, power in self.slows_at):
            raise ValueError("slows_at: shares of the power are more than 0 and at most 1")
        ids = [charger.charger_id for charger in self.chargers]
        if len(ids) != len(set(ids)):
            raise ValueError("chargers: one stands twice")
        return self

    def curve(self, power_kw: float) -> ChargingCurve:
        points = [(0.0, 0.0)]
        for share, power in self.slows_at:
            kwh = share * self.battery_kwh
            points.append((kwh, points[-1][1] + 3600 * (kwh - points[-1][0]) / (power * power_kw)))
        return ChargingCurve(points=tuple(points))

    @property
    def levels_kwh(self) -> tuple[float, ...]:
        steps = int(1 / self.level_share + 1e-9)
        levels = [self.battery_kwh * self.level_share * step for step in range(1, steps + 1)]
        return (*(level for level in levels if level < self.battery_kwh * 0.999), self.battery_kwh)

    def near(self, places: Sequence[Place]) -> tuple[ChargerPlace, ...]:
        """The chargers that may come into question, the nearest to any of the places first."""
        far = [(min(distance_m(place, one.place) for place in places), one.charger_id, one) for one in self.chargers]
        return tuple(one for _, _, one in sorted(far, key=lambda entry: entry[:2])[:MOST_CHARGERS])


def charge_left(
    electric: ElectricVan, known_kwh: float, driven: Sequence[Place], stood_s: float
) -> tuple[float, float]:
    """What is expected in the battery after these places, and how far off that may be (standard deviation)."""
    lines_m = [ROAD_PER_LINE * distance_m(a, b) for a, b in pairwise(driven)]
    used = sum(leg_use(electric.van, leg, leg / TOWN_MPS, electric.temperature_c).kwh for leg in lines_m)
    used += standing_use(electric.van, stood_s, electric.temperature_c)
    off = BEHIND_SHARE * used + KNOWN_SHARE * electric.battery_kwh
    return max(0.0, known_kwh - used), off


def forecast(
    electric: ElectricVan,
    experience: Experience,
    *,
    charge: tuple[float, float],
    visits: Sequence[Visit],
    chargers: Sequence[ChargerPlace],
    travel_s: Cells,
    travel_m: Cells,
) -> Energy:
    """What the problem's `energy` is, when its matrices lead over the chargers behind the end of the day."""
    van, degrees = electric.van, electric.temperature_c
    uses = [
        [_used(electric, experience, leg_m, leg_s) for leg_m, leg_s in zip(metres, seconds, strict=True)]
        for metres, seconds in zip(travel_m, travel_s, strict=True)
    ]
    per_km = experience.factor(30.0, degrees) * leg_use(van, 1000.0, 120.0, degrees).kwh
    return Energy(
        charge_kwh=charge[0],
        charge_sd_kwh=charge[1],
        reserve_kwh=reserve_kwh(electric.battery_kwh, per_km),
        levels_kwh=electric.levels_kwh if chargers else (),
        chargers=tuple(
            Charger(charger_id=one.charger_id, setup_s=one.setup_s, curve=electric.curve(one.power_kw))
            for one in chargers
        ),
        use_kwh=tuple(tuple(kwh for kwh, _ in row) for row in uses),
        use_kwh_per_kg=tuple(tuple(per_kg for _, per_kg in row) for row in uses),
        standing_kwh=tuple(standing_use(van, visit.setup_s + visit.service_s, degrees) for visit in visits),
        common_sd_share=experience.common_sd_share,
        leg_sd_share=LEG_SD_SHARE,
    )


def _used(
    electric: ElectricVan, experience: Experience, leg_m: float | None, leg_s: float | None
) -> tuple[float, float]:
    if not leg_m or not leg_s:
        return 0.0, 0.0
    use = leg_use(electric.van, leg_m, leg_s, electric.temperature_c)
    factor = experience.factor(3.6 * leg_m / leg_s, electric.temperature_c)
    return factor * use.kwh, factor * use.kwh_per_kg
