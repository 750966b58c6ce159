from collections.abc import Iterable
from datetime import timedelta

import pytest

from agent.gps.gpsd import RawFix
from agent.gps.motion import Movement, moved_on, with_heading
from agent.gps.observer import Observer
from agent.gps.position import Motion, Position
from agent.gps.track import breadcrumb, next_breadcrumb
from tests.builders import DEPOT, MORNING, a_place, a_position
from wire.events import FixQuality

KMH = 1 / 3.6


def at_speed(second: float, speed_mps: float | None, **changes: object) -> Position:
    return a_position(fixed_at=MORNING + timedelta(seconds=second), **{"speed_mps": speed_mps, **changes})  # type: ignore[arg-type]


def drive(speeds_mps: Iterable[float | None], start: Movement | None = None) -> list[Motion]:
    """The motion after each of these speeds, one a second."""
    movement, motions = start or Movement(), []
    for second, speed_mps in enumerate(speeds_mps):
        movement = moved_on(movement, at_speed(second, speed_mps))
        motions.append(movement.motion)
    return motions


def test_a_van_moves_from_eight_kilometres_an_hour() -> None:
    assert drive([7.9 * KMH, 8 * KMH]) == [Motion.UNKNOWN, Motion.MOVING]


def test_a_van_is_halted_after_three_seconds_and_parked_after_twenty() -> None:
    motions = drive([10.0, *[0.3] * 22])
    assert motions[1:4] == [Motion.MOVING] * 3
    assert motions[4:21] == [Motion.HALTED] * 17
    assert motions[21:] == [Motion.PARKED] * 2


def test_creeping_changes_nothing_either_way() -> None:
    assert drive([10.0, 2.0, 1.5, 2.0])[-1] is Motion.MOVING
    assert drive([0.0] * 5 + [2.0, 2.0])[-1] is Motion.HALTED
    assert drive([0.0] * 15 + [2.0] + [0.0] * 15)[-1] is Motion.HALTED
    assert drive([0.0] * 25 + [2.0, 0.0])[-1] is Motion.PARKED


@pytest.mark.parametrize("position", [None, at_speed(30, None), at_speed(30, 0.0, quality=FixQuality.STALE)])
def test_without_a_fresh_speed_the_motion_is_unknown(position: Position | None) -> None:
    assert moved_on(Movement(Motion.PARKED, MORNING), position).motion is Motion.UNKNOWN


def test_a_parked_van_drives_off_at_once() -> None:
    assert drive([0.0] * 25 + [3.0])[-1] is Motion.MOVING


def test_the_heading_is_held_while_the_van_stands() -> None:
    movement = moved_on(Movement(), at_speed(0, 10.0, heading_deg=90.0))
    standing = at_speed(1, 0.2, heading_deg=271.0)
    movement = moved_on(movement, standing)
    assert with_heading(standing, movement).heading_deg == 90.0
    driving = at_speed(2, 10.0, heading_deg=None)
    assert with_heading(driving, moved_on(movement, driving)).heading_deg is None


def test_a_van_that_has_not_moved_yet_points_nowhere() -> None:
    standing = at_speed(0, 0.0, heading_deg=12.0)
    assert with_heading(standing, moved_on(Movement(), standing)).heading_deg is None


def test_there_is_one_breadcrumb_a_second_and_none_from_a_stale_position() -> None:
    first = next_breadcrumb(None, at_speed(0.2, 5.0))
    assert first is not None
    assert next_breadcrumb(first, at_speed(0.8, 5.0)) is None
    assert next_breadcrumb(first, at_speed(1.0, 5.0)) is not None
    assert next_breadcrumb(None, at_speed(0, 5.0, quality=FixQuality.STALE)) is None
    assert next_breadcrumb(None, None) is None


def test_a_breadcrumb_carries_the_fix_and_its_own_time() -> None:
    crumb = breadcrumb(at_speed(1.5, 5.0, heading_deg=10.0))
    assert crumb.wall_ms == round(MORNING.timestamp() * 1000) + 1_500
    assert (crumb.lat_deg, crumb.speed_mps, crumb.heading_deg, crumb.error_m) == (DEPOT.lat_deg, 5.0, 10.0, 4.0)


def test_an_observer_goes_from_a_raw_fix_to_position_motion_and_breadcrumb() -> None:
    observer = Observer()
    for second in range(5):
        place = a_place(north_m=10 * second)
        time = MORNING + timedelta(seconds=second)
        seen = observer.observe(RawFix(time, 3, place.lat_deg, place.lon_deg, speed_mps=10.0), mono_s=second / 30)
        assert seen.position is not None
        assert (seen.motion, seen.breadcrumb) == (Motion.MOVING, breadcrumb(seen.position))
    quiet = observer.observe(None, mono_s=4.0)
    assert quiet.position is not None
    assert (quiet.position.quality, quiet.motion, quiet.breadcrumb) == (FixQuality.STALE, Motion.UNKNOWN, None)
