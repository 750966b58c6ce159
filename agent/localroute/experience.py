"""What this van takes beside what was computed, learned from its own days: a factor by speed and temperature.

A sample is a stretch between two readings of the battery: what was computed for it, by speed band, and what it took.
Bands remember by exponential smoothing, so that a van with new tyres is believed after a few days; a band with few
samples leans on the van as a whole, and the van on the physics (factor 1). Old readings fade, none is kept.

How sure a factor is follows from how much was seen: the common error of a day's forecast shrinks from `PRIOR_SD` to
`LEAST_SD`, which is what weather and drivers do to a van that is known well. Both are assumptions until they are
measured on fleets.
"""

from collections.abc import Mapping
from math import hypot
from typing import Annotated

from pydantic import Field

from wire.model import Value

SPEEDS_KMH = (20.0, 35.0, 50.0, 75.0)
TEMPERATURES_C = (0.0, 10.0, 20.0)
PRIOR_SD, LEAST_SD = 0.15, 0.05
PRIOR_KWH = 30.0
"""So many kWh driven weigh as much as the physics: half a day of a van."""
BAND_PRIOR_KWH = 10.0
"""The same for a band against the van as a whole."""
KEEPS_KWH = 300.0
"""Smoothing: what was seen so many kWh ago weighs 1/e, a week or two."""
LEAST_SAMPLE_KWH = 1.0
"""A display shows whole percents; a shorter stretch tells of rounding, not of the van."""
PLAUSIBLE = (0.3, 3.0)
"""What lies outside is a reading that is wrong, or a charge nobody told of."""
type Share = Annotated[float, Field(ge=0)]


class Band(Value):
    """What was seen at this speed and temperature: kWh as computed, and as taken, with the old ones faded."""

    computed_kwh: Share = 0.0
    taken_kwh: Share = 0.0

    def with_sample(self, computed_kwh: float, taken_kwh: float) -> "Band":
        fades = KEEPS_KWH / (KEEPS_KWH + computed_kwh)
        return Band(computed_kwh=fades * self.computed_kwh + computed_kwh, taken_kwh=fades * self.taken_kwh + taken_kwh)


class Experience(Value):
    """All that a van has learned of its own consumption; goes into JSON as it is. Empty for a new van."""

    van: Band = Band()
    bands: dict[str, Band] = {}

    def factor(self, speed_kmh: float, temperature_c: float) -> float:
        """By what the computed kWh of a leg are to be multiplied."""
        whole = _shrunk(self.van, 1.0, PRIOR_KWH)
        return _shrunk(self.bands.get(band_name(speed_kmh, temperature_c), Band()), whole, BAND_PRIOR_KWH)

    @property
    def common_sd_share(self) -> float:
        """By what share a day's forecast is off as a whole: standard deviation."""
        unknown = PRIOR_KWH / (PRIOR_KWH + self.van.computed_kwh)
        return hypot(LEAST_SD, (PRIOR_SD**2 - LEAST_SD**2) ** 0.5 * unknown)

    def with_stretch(self, computed_kwh: Mapping[str, float], taken_kwh: float) -> "Experience":
        """After a stretch that took so much; `computed_kwh` by band, by the physics alone.

        A stretch too short to read, or one that cannot be, teaches nothing.
        """
        computed = sum(computed_kwh.values())
        if computed < LEAST_SAMPLE_KWH or not PLAUSIBLE[0] < taken_kwh / computed < PLAUSIBLE[1]:
            return self
        # Nobody measures which band took what: each gets the share that it is expected to have taken.
        expected = {name: kwh * self._factor_of(name) for name, kwh in computed_kwh.items()}
        off = taken_kwh / sum(expected.values())
        bands = {
            name: self.bands.get(name, Band()).with_sample(kwh, expected[name] * off)
            for name, kwh in computed_kwh.items()
        }
        return Experience(van=self.van.with_sample(computed, taken_kwh), bands={**self.bands, **bands})

    def _factor_of(self, name: str) -> float:
        return _shrunk(self.bands.get(name, Band()), _shrunk(self.van, 1.0, PRIOR_KWH), BAND_PRIOR_KWH)


def band_name(speed_kmh: float, temperature_c: float) -> str:
    """The band of a leg driven at this speed on average."""
    return f"{_bin(speed_kmh, SPEEDS_KMH)}-{_bin(temperature_c, TEMPERATURES_C)}"


def _shrunk(band: Band, towards: float, prior_kwh: float) -> float:
    return (band.taken_kwh + towards * prior_kwh) / (band.computed_kwh + prior_kwh)


def _bin(value: float, bounds: tuple[float, ...]) -> int:
    return sum(value >= bound for bound in bounds)
