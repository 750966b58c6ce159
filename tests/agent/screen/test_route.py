"""Which road *road blocked here* means."""

from collections.abc import Sequence

import pytest

from agent.screen.route import BLOCK_FROM_M, BLOCK_M, RouteAhead, Way
from agent.trip.run import Run
from tests.builders import a_place, a_position, a_run, at
from wire.events import TimesSource
from wire.geo import Place, distance_m

CORNER = a_place(north_m=80)
WAY = (a_place(north_m=-300), CORNER, a_place(north_m=80, east_m=500))


async def shown(run: Run, times: TimesSource = TimesSource.ROADS) -> RouteAhead:
    async def find(_: Sequence[Place]) -> Way:
        line = tuple((place.lon_deg, place.lat_deg) for place in WAY)
        return Way(line=line, legs_begin=(0,), manoeuvres=(), times=times)

    ahead = RouteAhead(find)
    await ahead.view(run, at(0))
    return ahead


async def test_it_is_the_way_just_ahead_of_the_van_round_the_corner_and_not_where_it_stands() -> None:
    run = a_run(position=a_position(a_place(north_m=20, east_m=3)))
    line = [Place(lat_deg=lat, lon_deg=lon) for lat, lon in (await shown(run)).ahead(run, at(0))]
    assert len(line) == 3
    assert distance_m(line[1], CORNER) < 0.1
    van = a_place(north_m=20)
    assert distance_m(van, line[0]) == pytest.approx(BLOCK_FROM_M, abs=3)
    assert distance_m(van, CORNER) + distance_m(CORNER, line[2]) == pytest.approx(BLOCK_M, abs=3)


async def test_before_the_end_of_the_way_it_is_what_is_left() -> None:
    run = a_run(position=a_position(a_place(north_m=80, east_m=460)))
    line = [Place(lat_deg=lat, lon_deg=lon) for lat, lon in (await shown(run)).ahead(run, at(0))]
    assert [round(distance_m(place, WAY[-1])) for place in line] == [30, 0]


async def test_nobody_knows_it_without_a_fresh_position_off_the_way_or_on_a_straight_line() -> None:
    here = a_run(position=a_position(a_place(north_m=20)))
    ahead = await shown(here)
    assert ahead.ahead(here, at(0))
    assert ahead.ahead(here, at(10)) == ()
    assert ahead.ahead(a_run(), at(0)) == ()
    assert ahead.ahead(a_run(position=a_position(a_place(east_m=200))), at(0)) == ()
    assert (await shown(here, TimesSource.ESTIMATE)).ahead(here, at(0)) == ()
