"""The days of `scripts/bench promise`, made before anything was tuned and not changed since.

A seed is a van with its round: 150 regular addresses and 3,000 others in twelve quarters, a truth about each that
nobody tells the van, 20 days on which it learns, and one more day. That last day is the one that is judged. Its
service times follow a law of another family and another scale than those of the days before.

What is true, and unknown to the van:

- A visit takes what the order states (60 s to park and walk, 120 s and 20 s more a parcel to hand over) times a factor
  of the van (a lognormal's, log sd 0.15), of the stop's kind (pickups and returns: 0.3), of the address (0.35), of the
  day (0.12), and of its own: a draw of mean 1 from the law. A third of it, give or take, goes by before the door.
- While the van learns, the law is lognormal with a coefficient of variation of 0.5, its scale 1.
- A leg takes what the road says (Manhattan metres at 7 m/s and 15 s) times a factor of the hour (1.35 from 7 to 9 and
  from 16 to 18, 1.1 at noon), of the quarter it ends in (0.12), of the day (0.06) and of its own (0.2), and some
  seconds more to find a place to stand (exponential, mean 10 s).
- One stop in seven has a window of two hours that opens near the planned arrival, some of them after it: then the van
  waits. At three doors of a hundred nobody opens: half a visit, and no delivery.
- Half of a day's 70 stops are drawn from the regulars, the other half from all others; orders are driven in one round,
  nearest first.

Three sets of laws, so that whoever tunes need not look at the days that are judged:

| set | family, drawn for each day | scale, drawn for each day |
| --- | --- | --- |
| history | lognormal | 1 |
| rehearsal | gamma, or a fixed part and an exponential one | log-uniform, 0.8 to 1.3 |
| test | Weibull, or two humps (a parcel box, a talk), or a heavy tail (Lomax) | log-uniform, 0.75 to 1.4 |

Every random number hangs on the set, the seed and the day: a test day shares no seed with a day of learning.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import exp, gamma, log, sqrt
from random import Random
from typing import Literal

from wire.geo import Place, distance_m, moved
from wire.manifest import Address, Depot, Manifest, SequencePolicy, Stop, StopKind, Window

HISTORY_DAYS = 20
STOPS = 70
REGULARS, OTHERS, QUARTERS = 150, 3_000, 12
FIRST_DAY = date(2026, 9, 1)
STARTS_AT = time(8, 0)
SPEED_MPS, LEG_S = 7.0, 15.0
DEPOT = Place(lat_deg=41.15, lon_deg=-8.61)

Laws = Literal["rehearsal", "test"]
Law = Callable[[Random], float]
"""A positive draw of mean 1."""


@dataclass(frozen=True)
class Door:
    """An address, and what is true about it."""

    place: Place
    address: Address
    quarter: int
    visits_take: float


@dataclass(frozen=True)
class Round:
    """A van's world: the same on all of its days."""

    seed: int
    regulars: tuple[Door, ...]
    others: tuple[Door, ...]
    van_takes: float
    kind_takes: dict[StopKind, float]
    quarter_takes: tuple[float, ...]


@dataclass(frozen=True)
class Happens:
    """What will be found at one stop, in seconds, whenever the van comes."""

    visit_s: float
    setup_s: float
    """Of the visit, until the door is open."""
    leg_factor: float
    """Beside that of the hour."""
    parking_s: float
    is_failed: bool


@dataclass(frozen=True)
class MadeDay:
    """A day as it is listed and as it will happen."""

    manifest: Manifest
    order: tuple[str, ...]
    road_s: tuple[float, ...]
    """Of each leg in that order, the last one home: what the road says."""
    road_m: tuple[float, ...]
    happens: dict[str, Happens]


def a_round(seed: int) -> Round:
    """The world of that seed."""
    dice = _dice("round", seed)
    centres = [(dice.uniform(-5_000, 5_000), dice.uniform(-5_000, 5_000)) for _ in range(QUARTERS)]
    doors = [_door(number, centres, dice) for number in range(REGULARS + OTHERS)]
    return Round(
        seed=seed,
        regulars=tuple(doors[:REGULARS]),
        others=tuple(doors[REGULARS:]),
        van_takes=_lognormal(dice, 0.15),
        kind_takes={
            StopKind.DELIVERY: 1.0,
            StopKind.PICKUP: _lognormal(dice, 0.3),
            StopKind.RETURN: _lognormal(dice, 0.3),
        },
        quarter_takes=tuple(_lognormal(dice, 0.12) for _ in range(QUARTERS)),
    )


def history_day(world: Round, number: int) -> MadeDay:
    """The day of learning with that number, from 0."""
    return _a_day(world, number, _lognormal_law(0.5), _dice("history", world.seed, number))


def judged_day(world: Round, laws: Laws) -> MadeDay:
    """The day after those of learning, under a law that none of them had."""
    dice = _dice(laws, world.seed)
    return _a_day(world, HISTORY_DAYS, _unseen_law(laws, dice), dice)


def hour_takes(at: datetime) -> float:
    """How much longer legs take at that hour."""
    if at.hour in (7, 8, 16, 17):
        return 1.35
    return 1.1 if at.hour in (12, 13) else 1.0


def _a_day(world: Round, number: int, law: Law, dice: Random) -> MadeDay:
    day = FIRST_DAY + timedelta(days=number)
    begins_at = datetime.combine(day, STARTS_AT, UTC)
    doors = [*dice.sample(world.regulars, STOPS // 2), *dice.sample(world.others, STOPS - STOPS // 2)]
    order = _nearest_first(doors)
    day_takes, roads_take = _lognormal(dice, 0.12), _lognormal(dice, 0.06)
    stops: list[Stop] = []
    happens: dict[str, Happens] = {}
    road_m: list[float] = []
    here, clock = DEPOT, begins_at
    for place, door in enumerate(doors[index] for index in order):
        stop_id = f"{place + 1:03d}"
        kind = dice.choices((StopKind.DELIVERY, StopKind.PICKUP, StopKind.RETURN), (85, 12, 3))[0]
        setup_s, service_s = 60.0, 120.0 + 20.0 * (dice.choices((1, 2, 3, 4), (70, 18, 8, 4))[0] - 1)
        road_m.append(_metres(here, door.place))
        clock += timedelta(seconds=road_m[-1] / SPEED_MPS + LEG_S)
        opens_at = clock + timedelta(minutes=dice.uniform(-90, 20))
        has_window = dice.random() < 1 / 7
        stops.append(
            Stop(
                stop_id=stop_id,
                order_ref=f"{day:%m%d}-{stop_id}",
                kind=kind,
                lat_deg=door.place.lat_deg,
                lon_deg=door.place.lon_deg,
                address=door.address,
                windows=(Window(opens_at=opens_at, closes_at=opens_at + timedelta(hours=2)),) if has_window else (),
                setup_s=setup_s,
                service_s=service_s,
            )
        )
        clock = max(clock, opens_at) if has_window else clock
        clock += timedelta(seconds=setup_s + service_s)
        here = door.place
        takes = world.van_takes * world.kind_takes[kind] * door.visits_take * day_takes * law(dice)
        visit_s = max(20.0, (setup_s + service_s) * takes)
        is_failed = dice.random() < 0.03
        happens[stop_id] = Happens(
            visit_s=visit_s / 2 if is_failed else visit_s,
            setup_s=visit_s * dice.uniform(0.2, 0.5),
            leg_factor=world.quarter_takes[door.quarter] * roads_take * _lognormal(dice, 0.2),
            parking_s=dice.expovariate(1 / 10.0),
            is_failed=is_failed,
        )
    road_m.append(_metres(here, DEPOT))
    depot = Depot(lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg)
    manifest = Manifest(
        van="van-1",
        day=day,
        version=1,
        policy=SequencePolicy.FIXED,
        start=depot,
        end=depot,
        shift_starts_at=begins_at,
        shift_ends_at=begins_at + timedelta(hours=10),
        stops=tuple(stops),
    )
    return MadeDay(
        manifest=manifest,
        order=tuple(stop.stop_id for stop in stops),
        road_s=tuple(metres / SPEED_MPS + LEG_S for metres in road_m),
        road_m=tuple(road_m),
        happens=happens,
    )


def _door(number: int, centres: Sequence[tuple[float, float]], dice: Random) -> Door:
    quarter = dice.randrange(len(centres))
    north_m, east_m = (dice.gauss(middle, 500) for middle in centres[quarter])
    return Door(
        place=moved(DEPOT, north_m=north_m, east_m=east_m),
        address=Address(number=str(number), street=f"Street {quarter}", city="Promise"),
        quarter=quarter,
        visits_take=_lognormal(dice, 0.35),
    )


def _nearest_first(doors: Sequence[Door]) -> list[int]:
    left, here, order = set(range(len(doors))), DEPOT, []
    while left:
        nearest = min(left, key=lambda index: (_metres(here, doors[index].place), index))
        left.remove(nearest)
        order.append(nearest)
        here = doors[nearest].place
    return order


def _metres(a: Place, b: Place) -> float:
    corner = Place.model_construct(lat_deg=a.lat_deg, lon_deg=b.lon_deg)
    return distance_m(a, corner) + distance_m(corner, b)


def _unseen_law(laws: Laws, dice: Random) -> Law:
    low, high = (0.8, 1.3) if laws == "rehearsal" else (0.75, 1.4)
    scale = exp(dice.uniform(log(low), log(high)))
    families: tuple[Law, ...]
    if laws == "rehearsal":
        families = (_gamma_law(0.6), _fixed_and_exponential_law(0.35))
    else:
        families = (_weibull_law(1.5), _two_humps_law(), _lomax_law(4.0))
    law = dice.choice(families)
    return lambda draw: scale * law(draw)


def _lognormal_law(variation: float) -> Law:
    spread = sqrt(log(1 + variation**2))
    return lambda dice: _lognormal(dice, spread)


def _gamma_law(variation: float) -> Law:
    shape = 1 / variation**2
    return lambda dice: dice.gammavariate(shape, 1 / shape)


def _fixed_and_exponential_law(fixed: float) -> Law:
    return lambda dice: fixed + dice.expovariate(1 / (1 - fixed))


def _weibull_law(shape: float) -> Law:
    return lambda dice: dice.weibullvariate(1 / gamma(1 + 1 / shape), shape)


def _two_humps_law() -> Law:
    """Seven in ten into a box (0.65), three held up at the door (1.82): mean 1."""
    return lambda dice: 0.65 * _lognormal(dice, 0.2) if dice.random() < 0.7 else 1.8167 * _lognormal(dice, 0.25)


def _lomax_law(shape: float) -> Law:
    """A fixed 0.5 and a tail of mean 0.5 whose power is `shape`."""
    return lambda dice: 0.5 + 0.5 * (shape - 1) * (dice.paretovariate(shape) - 1)


def _lognormal(dice: Random, spread: float) -> float:
    """Mean 1; `spread` is the standard deviation of the logarithm."""
    return dice.lognormvariate(-(spread**2) / 2, spread)


def _dice(*words: object) -> Random:
    return Random("/".join(map(str, ("promise", *words))))  # noqa: S311 - days, not keys
