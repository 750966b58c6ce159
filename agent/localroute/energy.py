"""How much a leg takes from the battery: the physics of a van on a road, before anything is learned of this van.

    E = (m g Crr + rho/2 CdA v^2) d / eta + P_aux t + stops m v^2/2 (1/eta - eta r)

with the mass m (load included), the distance d, the time t and v = d / t. Hills are left out: the map has no heights.
The first part grows with the square of the speed, the second with time alone, which is why a winter's day in town hangs
on the heater. The numbers of `VanEnergy` are those of a large van, computed and not measured; what this van takes in
truth is learned by `experience.py`, as factors on what is computed here.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from wire.model import Value

G = 9.81
J_PER_KWH = 3.6e6
USUAL_C = 15.0
"""The temperature that is assumed where nobody knows it."""
STOPS_PER_KM = ((20.0, 3.0), (40.0, 1.5), (60.0, 0.4), (90.0, 0.0))
"""km/h on average, and how often a van stops at that on its way, lights and crossings: an assumption, not measured."""
SLOWEST_MPS, FASTEST_MPS = 2.0, 36.0
"""What a leg's average speed is taken for at least and at most: a leg of 5 m in 60 s is no 0.3 km/h of driving."""


class VanEnergy(Value):
    """What the physics needs of a van. Kilograms, square metres, kilowatts, degrees Celsius."""

    mass_kg: Annotated[float, Field(gt=0)] = 2460.0
    """Ready to drive, with the driver and without goods."""
    cda_m2: Annotated[float, Field(gt=0)] = 1.66
    rolling: Annotated[float, Field(gt=0, lt=0.1)] = 0.011
    efficiency: Annotated[float, Field(gt=0, le=1)] = 0.85
    """From the battery to the wheels, and back."""
    recovered: Annotated[float, Field(ge=0, le=1)] = 0.6
    """The share of a stop's energy that braking takes back to the wheels' side of the motor."""
    aux_kw: Annotated[float, Field(ge=0)] = 0.5
    """Computers, pumps, lights: always."""
    heating_kw_per_c: Annotated[float, Field(ge=0)] = 0.1
    """For each degree below 20."""
    cooling_kw_per_c: Annotated[float, Field(ge=0)] = 0.07
    """For each degree above 24."""
    climate_most_kw: Annotated[float, Field(ge=0)] = 2.5
    standing_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Of auxiliaries and climate, what goes on while the driver is at a door."""
    cold_share_per_c: Annotated[float, Field(ge=0)] = 0.004
    """A cold battery loses so much more of all that is taken, for each degree below 10."""

    def auxiliary_kw(self, temperature_c: float) -> float:
        heats_kw = self.heating_kw_per_c * max(0.0, 20.0 - temperature_c)
        cools_kw = self.cooling_kw_per_c * max(0.0, temperature_c - 24.0)
        return self.aux_kw + min(self.climate_most_kw, heats_kw + cools_kw)

    def cold_factor(self, temperature_c: float) -> float:
        return 1.0 + self.cold_share_per_c * max(0.0, 10.0 - temperature_c)


@dataclass(frozen=True)
class Use:
    """What something takes: with an empty van, and for each kilogram aboard."""

    kwh: float
    kwh_per_kg: float

    def with_load(self, kg: float) -> float:
        return self.kwh + self.kwh_per_kg * kg


def leg_use(
    van: VanEnergy, leg_m: float, leg_s: float, temperature_c: float = USUAL_C, stops_per_km: float | None = None
) -> Use:
    """Of a leg of so many metres driven in so many seconds; `stops_per_km` None: as usual at that speed."""
    if leg_m <= 0 or leg_s <= 0:
        return Use(0.0, 0.0)
    speed_mps = min(max(leg_m / leg_s, SLOWEST_MPS), FASTEST_MPS)
    stops = leg_m / 1000 * (usual_stops_per_km(speed_mps) if stops_per_km is None else stops_per_km)
    per_stop = 0.5 * speed_mps**2 * (1 / van.efficiency - van.efficiency * van.recovered)
    rolls_j_per_kg = G * van.rolling * leg_m / van.efficiency + stops * per_stop
    air_j = 0.5 * air_density(temperature_c) * van.cda_m2 * speed_mps**2 * leg_m / van.efficiency
    factor = van.cold_factor(temperature_c) / J_PER_KWH
    aux_j = 1000 * van.auxiliary_kw(temperature_c) * leg_s
    return Use(kwh=factor * (van.mass_kg * rolls_j_per_kg + air_j + aux_j), kwh_per_kg=factor * rolls_j_per_kg)


def standing_use(van: VanEnergy, stands_s: float, temperature_c: float = USUAL_C) -> float:
    """kWh of so many seconds at a door."""
    kwh = van.standing_share * van.auxiliary_kw(temperature_c) * stands_s / 3600
    return van.cold_factor(temperature_c) * kwh


def usual_stops_per_km(speed_mps: float) -> float:
    kmh = 3.6 * speed_mps
    if kmh <= STOPS_PER_KM[0][0]:
        return STOPS_PER_KM[0][1]
    for (slow, often), (fast, seldom) in pairwise(STOPS_PER_KM):
        if kmh <= fast:
            return often + (seldom - often) * (kmh - slow) / (fast - slow)
    return STOPS_PER_KM[-1][1]


def air_density(temperature_c: float) -> float:
    """Kilograms per cubic metre at sea level."""
    return 1.204 * 293.15 / (273.15 + temperature_c)


def reserve_kwh(battery_kwh: float, kwh_per_km: float) -> float:
    """What must be left: a tenth of the battery or ten kilometres, whichever is more."""
    return max(0.1 * battery_kwh, 10.0 * kwh_per_km)
