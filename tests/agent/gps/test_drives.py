"""A whole drive, made up here, through the judge. Receiver logs go through it in `test_replay.py`."""

import random
from datetime import timedelta
from itertools import pairwise

from agent.gps.gates import JITTER_M, STEP_LIMIT_MPS
from agent.gps.gpsd import RawFix
from agent.gps.observer import Observer
from agent.gps.position import Position
from agent.gps.quality import AGREEING_FIXES, Refused
from tests.builders import MORNING, a_place
from wire.geo import distance_m

Drive = list[RawFix]


def made_up_drive() -> Drive:
    """Ten minutes at 12 m/s with noise, a minute's tunnel, wild fixes, zeros and NaN."""
    chance = random.Random(7)
    drive = []
    for second in range(600):
        time = MORNING + timedelta(seconds=second)
        place = a_place(north_m=12.0 * second + chance.gauss(0, 3), east_m=chance.gauss(0, 3))
        fix = RawFix(time, 3, place.lat_deg, place.lon_deg, 12.0, 0.0, 5.0)
        if 300 <= second < 360:
            fix = RawFix(time, 1)
        elif second % 50 == 20:
            fix = RawFix(time, 3, place.lat_deg + chance.uniform(0.1, 1), place.lon_deg)
        elif second % 50 == 30:
            fix = RawFix(time, 3, 0.0, 0.0)
        elif second % 50 == 40:
            fix = RawFix(time, 3, float("nan"), place.lon_deg)
        drive.append(fix)
    return drive


def test_a_drive_is_followed_without_a_step_that_no_van_can_make() -> None:
    fixes = made_up_drive()
    observer = Observer(earliest=fixes[0].time - timedelta(days=1))
    positions: list[Position] = []
    crumbs = 0
    for fix in fixes:
        seen = observer.observe(fix, (fix.time - fixes[0].time).total_seconds())
        crumbs += seen.breadcrumb is not None
        if seen.position is not None and seen.position.fixed_at == fix.time:
            positions.append(seen.position)
    offered = sum(fix.mode >= 2 for fix in fixes)
    steps = [
        (distance_m(before.place, after.place), (after.fixed_at - before.fixed_at).total_seconds())
        for before, after in pairwise(positions)
    ]
    leaps = sum(step_m > JITTER_M + STEP_LIMIT_MPS * max(0.0, step_s) for step_m, step_s in steps)
    jumps = observer.belief.refused.get(Refused.JUMP, 0)
    assert len(positions) >= 0.9 * offered
    assert leaps * (AGREEING_FIXES - 1) <= jumps
    assert crumbs == len({position.fixed_at for position in positions})


def test_the_made_up_drive_refuses_just_what_was_made_wrong() -> None:
    observer = Observer()
    for second, fix in enumerate(made_up_drive()):
        observer.observe(fix, float(second))
    assert observer.belief.refused == {
        Refused.NO_FIX: 60,
        Refused.JUMP: 11,
        Refused.NULL_ISLAND: 11,
        Refused.NOT_FINITE: 11,
    }
