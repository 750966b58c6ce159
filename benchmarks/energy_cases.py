"""Made days of an electric van that sets out with too little to end most of them: places, windows, chargers.

Kilometres, minutes and kWh are those of a large van in a region; consumption is that of `agent/localroute/energy.py`,
with its uncertainty. The same seed gives the same day.
"""

from math import hypot
from random import Random

from agent.localroute.battery import Charger, ChargingCurve, Energy
from agent.localroute.energy import VanEnergy, leg_use, reserve_kwh, standing_use
from agent.localroute.problem import Amount, Problem, TimeWindow, Visit

SIDE_M = 30_000.0
SPEED_MPS = 14.0
ROAD = 1.3
BATTERY_KWH = 50.0
POWERS_KW = (11.0, 22.0, 50.0)
STEP = 0.05
"""A driver is told to charge to so many twentieths of the battery."""


def made(stops: int, seed: int) -> Problem:
    """A day of so many stops. Whether it lasts without charging, or can be driven at all, is not known."""
    dice = Random(f"{stops} {seed}")  # noqa: S311 - the same day again, not a secret
    chargers = dice.randint(2, 4)
    places = [(dice.uniform(0, SIDE_M), dice.uniform(0, SIDE_M)) for _ in range(stops + 1 + chargers)]
    places.insert(stops + 1, places[0])
    far = [[ROAD * hypot(a[0] - b[0], a[1] - b[1]) for b in places] for a in places]
    times = [[leg / SPEED_MPS for leg in row] for row in far]
    van, temperature_c = VanEnergy(), dice.uniform(-5, 25)
    uses = [
        [leg_use(van, leg, leg_s, temperature_c) for leg, leg_s in zip(*rows, strict=True)]
        for rows in zip(far, times, strict=True)
    ]
    visits = tuple(_visit(number, dice) for number in range(1, stops + 1))
    per_km = leg_use(van, 1000.0, 1000.0 / SPEED_MPS, temperature_c).kwh
    return Problem(
        visits=visits,
        travel_s=tuple(tuple(row) for row in times),
        travel_m=tuple(tuple(row) for row in far),
        shift_end_s=dice.uniform(7, 11) * 3600,
        aboard=Amount(kg=sum(-visit.load.kg for visit in visits)),
        energy=Energy(
            charge_kwh=dice.uniform(0.3, 0.6) * BATTERY_KWH,
            charge_sd_kwh=0.01 * BATTERY_KWH,
            reserve_kwh=reserve_kwh(BATTERY_KWH, per_km),
            levels_kwh=tuple(round(BATTERY_KWH * STEP * step, 6) for step in range(1, round(1 / STEP) + 1)),
            chargers=tuple(
                Charger(charger_id=f"charger-{number}", setup_s=180.0, curve=curve(dice.choice(POWERS_KW)))
                for number in range(1, chargers + 1)
            ),
            use_kwh=tuple(tuple(use.kwh for use in row) for row in uses),
            use_kwh_per_kg=tuple(tuple(use.kwh_per_kg for use in row) for row in uses),
            standing_kwh=tuple(standing_use(van, visit.setup_s + visit.service_s, temperature_c) for visit in visits),
            common_sd_share=0.1,
            leg_sd_share=0.15,
        ),
    )


def curve(power_kw: float) -> ChargingCurve:
    """Full power to 80 %, half of it to 92 %, a fifth to the end."""
    points = [(0.0, 0.0)]
    for share, slower in ((0.8, 1.0), (0.92, 2.0), (1.0, 5.0)):
        kwh = share * BATTERY_KWH
        points.append((kwh, points[-1][1] + 3600 * slower * (kwh - points[-1][0]) / power_kw))
    return ChargingCurve(points=tuple(points))


def _visit(number: int, dice: Random) -> Visit:
    windows: tuple[TimeWindow, ...] = ()
    if dice.random() < 0.6:
        opens_s = dice.uniform(0, 6 * 3600)
        windows = (TimeWindow(opens_s=opens_s, closes_s=opens_s + 2 * 3600, is_hard=dice.random() < 0.3),)
    return Visit(
        stop_id=f"s{number:02d}",
        windows=windows,
        setup_s=60.0,
        service_s=dice.uniform(60, 600),
        load=Amount(kg=-dice.uniform(5, 80)),
    )
