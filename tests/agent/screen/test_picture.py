"""What a photo that comes now is told of when and where it was taken."""

from datetime import timedelta

import pytest

from agent.screen.offer import OfferRoute
from agent.screen.picture import Picture
from agent.screen.route import RouteAhead, Way
from agent.trip.run import OffDuty, Run
from host.clock import Clock, ClockSettings
from tests.builders import MORNING, a_place, a_position, a_run, at
from wire.events import FixQuality, OffDutyWhy, TimesSource


async def no_way(_places: object) -> Way:
    return Way(line=(), legs_begin=(), manoeuvres=(), times=TimesSource.ESTIMATE)


def a_picture(run: Run) -> Picture:
    return Picture(
        van="van-1",
        clock=Clock(ClockSettings(origin=MORNING, system_origin_s=0.0), system=lambda: 0.0, monotonic=lambda: 0.0),
        run=lambda: run,
        changes=lambda: 0,
        waiting=lambda: (0, None),
        route=RouteAhead(no_way),
        offer_route=OfferRoute(no_way),
        first_revision=1,
    )


HERE = a_position(a_place(north_m=40), fixed_at=MORNING)


def test_a_photo_gets_the_depots_clock_and_the_place_that_is_believed() -> None:
    capture = a_picture(a_run(1, position=HERE)).capture()
    assert (capture.at, capture.at.utcoffset()) == (MORNING, timedelta())
    assert capture.spot is not None
    assert capture.spot.place == a_place(north_m=40)


@pytest.mark.parametrize(
    "run",
    [
        a_run(1, position=HERE, off_duty=OffDuty(why=OffDutyWhy.PAUSED, since=MORNING)),
        a_run(1),
        a_run(1, position=a_position(a_place(), fixed_at=at(-5))),
        a_run(1, position=a_position(a_place(), fixed_at=MORNING, quality=FixQuality.ESTIMATED)),
        Run(),
    ],
)
def test_off_duty_or_without_a_fix_of_now_it_gets_no_place(run: Run) -> None:
    assert a_picture(run).capture().spot is None
