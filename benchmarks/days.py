"""Made days of a delivery van, for comparing engines. Frozen: a change here makes earlier figures other figures.

The town is 12 x 9 km with the depot at its edge; stops lie in districts (normal, 350 m around a centre), a tenth of
them anywhere. A leg is the way along streets at right angles at 7 m/s, 20 s for starting and stopping, times a factor
of its own between 1 and 1.25, so that no leg is as long as its way back. The day ends at a garage, not at the depot.

The plan that the driver has is what a planner's desk would give: shortest by road, windows not looked at (nearest
neighbour, then 2-opt and or-opt on the symmetric mean, to a local optimum), but one stop in twelve was wished for at
a time anywhere in the day and stands where that time falls. Windows were promised from that plan: 63 % of the stops
have a soft one of one or two hours, 12 % a hard one of one, two or four hours, each with the planned arrival
somewhere in its middle three fifths; 25 % have none. Five stops came in since, with windows about any time of the
day: they are appended to the plan. The shift ends half an hour after the plan does.

A late day is the same day with the clock `late_s` further on and not a single stop served.

Cost, for every engine: driving + 0.5 a second of soft lateness and of overtime + 20 a second of hard lateness.
Waiting and moving stops cost nothing here (few peers know them); how many stops moved is reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from agent.localroute.problem import Problem, TimeWindow, Visit

NEW_STOPS = 5
SPEED_MPS = 7.0
LEG_S = 20.0
SHARE_SOFT, SHARE_HARD = 0.63, 0.12
SHARE_WISHED = 1 / 12
SPARE_S = 1800.0


@dataclass(frozen=True)
class _Town:
    places: tuple[tuple[float, float], ...]  # the depot, the stops, the garage
    travel_s: tuple[tuple[float, ...], ...]
    travel_m: tuple[tuple[float, ...], ...]


def a_day(stops: int, seed: int, late_s: float = 0.0) -> Problem:
    """The day of that seed with `stops` stops, the last five of them new, begun `late_s` late."""
    dice = Random(f"{stops}/{seed}")  # noqa: S311 - a day, not a key
    town = _a_town(stops, dice)
    setup_s = [round(dice.uniform(20, 60)) for _ in range(stops)]
    service_s = [round(dice.uniform(40, 240)) for _ in range(stops)]
    known = stops - min(NEW_STOPS, stops // 4)
    tour = _desk_plan(town, known)
    arrives_s, ends_s = _clock(town, tour, setup_s, service_s)
    wished_s = {node: dice.uniform(0, ends_s) if dice.random() < SHARE_WISHED else arrives_s[node] for node in tour}
    tour.sort(key=lambda node: (wished_s[node], node))
    arrives_s, ends_s = _clock(town, tour, setup_s, service_s)
    visits = []
    for number in range(1, stops + 1):
        drawn = dice.random()
        windows: tuple[TimeWindow, ...] = ()
        if drawn < SHARE_SOFT + SHARE_HARD:
            is_hard = drawn >= SHARE_SOFT
            length_s = 3600.0 * (dice.choice((1, 2, 4)) if is_hard else dice.choice((1, 2)))
            around_s = arrives_s[number] if number in arrives_s else dice.uniform(0, ends_s)
            opens_s = max(0.0, around_s - length_s * dice.uniform(0.2, 0.8))
            windows = (TimeWindow(opens_s=opens_s - late_s, closes_s=opens_s + length_s - late_s, is_hard=is_hard),)
        visits.append(
            Visit(
                stop_id=f"s{number:03d}",
                windows=windows,
                setup_s=setup_s[number - 1],
                service_s=service_s[number - 1],
            )
        )
    new = range(known + 1, stops + 1)
    return Problem(
        visits=tuple(visits),
        travel_s=town.travel_s,
        travel_m=town.travel_m,
        warm_order=tuple(f"s{number:03d}" for number in (*tour, *new)),
        shift_end_s=ends_s + SPARE_S - late_s,
        late_cost_per_s=0.5,
        hard_late_cost_per_s=20.0,
        wait_cost_per_s=0.0,
        moved_stop_cost_s=0.0,
    )


def _a_town(stops: int, dice: Random) -> _Town:
    centres = [(dice.uniform(0, 12_000), dice.uniform(0, 9_000)) for _ in range(max(2, stops // 8))]
    places = [(dice.uniform(0, 2_000), dice.uniform(0, 9_000))]
    for _ in range(stops):
        if dice.random() < 0.1:
            places.append((dice.uniform(0, 12_000), dice.uniform(0, 9_000)))
        else:
            centre = dice.choice(centres)
            places.append((dice.gauss(centre[0], 350), dice.gauss(centre[1], 350)))
    places.append((dice.uniform(0, 12_000), dice.uniform(0, 9_000)))
    metres = tuple(tuple(abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in places) for a in places)
    seconds = tuple(
        tuple(
            0.0 if i == j else round((leg / SPEED_MPS + LEG_S) * dice.uniform(1, 1.25), 1) for j, leg in enumerate(row)
        )
        for i, row in enumerate(metres)
    )
    return _Town(places=tuple(places), travel_s=seconds, travel_m=metres)


def _desk_plan(town: _Town, known: int) -> list[int]:
    """Stops 1..known, shortest by road as far as a simple method goes."""
    end = len(town.places) - 1
    mean_s = [
        [(there + back) / 2 for there, back in zip(row, column, strict=True)]
        for row, column in zip(town.travel_s, zip(*town.travel_s, strict=True), strict=True)
    ]
    left, tour = set(range(1, known + 1)), [0]
    while left:
        nearest = min(left, key=lambda node: (mean_s[tour[-1]][node], node))
        left.remove(nearest)
        tour.append(nearest)
    tour.append(end)
    while _shortened(tour, mean_s):
        pass
    return tour[1:-1]


def _shortened(tour: list[int], mean_s: Sequence[Sequence[float]]) -> bool:
    """One round of 2-opt and of moving one to three stops; whether anything was gained."""
    gained = False
    for i in range(1, len(tour) - 2):
        for j in range(i + 1, len(tour) - 1):
            a, b, c, d = tour[i - 1], tour[i], tour[j], tour[j + 1]
            if mean_s[a][c] + mean_s[b][d] < mean_s[a][b] + mean_s[c][d] - 1e-9:
                tour[i : j + 1] = tour[i : j + 1][::-1]
                gained = True
    for length in (1, 2, 3):
        for i in range(1, len(tour) - length):
            block = tour[i : i + length]
            rest = tour[:i] + tour[i + length :]
            saved_s = (
                mean_s[tour[i - 1]][block[0]]
                + mean_s[block[-1]][tour[i + length]]
                - mean_s[tour[i - 1]][tour[i + length]]
            )
            extra_s, at = min(
                (mean_s[a][block[0]] + mean_s[block[-1]][b] - mean_s[a][b], at)
                for at, (a, b) in enumerate(pairwise(rest), start=1)
            )
            if extra_s < saved_s - 1e-9:
                tour[:] = rest[:at] + block + rest[at:]
                gained = True
    return gained


def _clock(
    town: _Town, tour: Sequence[int], setup_s: Sequence[float], service_s: Sequence[float]
) -> tuple[dict[int, float], float]:
    """When each stop of the plan is arrived at, nobody waiting, and when the day ends."""
    arrives_s, clock_s, here = {}, 0.0, 0
    for node in tour:
        clock_s += town.travel_s[here][node]
        arrives_s[node] = clock_s
        clock_s += setup_s[node - 1] + service_s[node - 1]
        here = node
    return arrives_s, clock_s + town.travel_s[here][len(town.places) - 1]
