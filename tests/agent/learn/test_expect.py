from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.learn.expect import FASTEST, VISIT_FLOOR_S, Expecting, Way
from agent.learn.keys import address_key, area_key, hour_key
from agent.learn.known import Known
from agent.learn.level import Level
from agent.learn.today import DaySums
from tests.builders import a_place, a_stop, at
from wire.manifest import Address, Stop, StopKind

STOP = a_stop(1)
NOBODY = DaySums()


def known(**factors: float) -> Known:
    """Sure of each; `__` stands for a slash."""
    return Known(day=10, levels={k.replace("__", "/"): Level(weight=1e9, mean=v, day=10) for k, v in factors.items()})


def expecting(knows: Known | None = None, visits: DaySums = NOBODY, legs: DaySums = NOBODY) -> Expecting:
    return Expecting(knows or Known(), visits, legs)


def way(road_s: float = 300.0, *, is_estimate: bool = False) -> Way:
    return Way(road_s, at(0), "Europe/Lisbon", STOP, is_estimate=is_estimate)


def test_where_nothing_was_learned_the_list_and_the_road_are_believed() -> None:
    visit = expecting().visit(STOP)
    assert visit.setup_s == pytest.approx(60.0)
    assert visit.service_s == pytest.approx(120.0)
    assert expecting().leg(way()).travel_s == 300.0


def test_van_kind_and_address_each_have_their_say() -> None:
    knows = known(visit__van=1.5, visit__kind__delivery=0.8, **{f"visit/address/{address_key(STOP)}": 2.0})
    assert expecting(knows).visit(STOP).takes_s == pytest.approx(180 * 1.5 * 0.8 * 2.0)
    other = a_stop(2, kind=StopKind.PICKUP)
    assert expecting(knows).visit(other).takes_s == pytest.approx(180 * 1.5)


def test_hour_and_area_make_a_leg_longer() -> None:
    knows = known(leg__van=1.1, **{"leg/hour/weekday-08": 1.4, f"leg/area/{area_key(STOP)}": 1.2})
    assert expecting(knows).leg(way()).travel_s == pytest.approx(300 * 1.1 * 1.4 * 1.2)
    later = Way(300.0, at(180), "Europe/Lisbon", STOP)
    assert expecting(knows).leg(later).travel_s == pytest.approx(300 * 1.1 * 1.2)


def test_of_a_straight_line_nothing_was_learned_and_it_is_less_sure() -> None:
    slow = expecting(known(leg__van=2.0))
    assert slow.leg(way(is_estimate=True)).travel_s == 300.0
    assert slow.leg(way(is_estimate=True)).sd_s > expecting().leg(way()).sd_s


@given(st.floats(1e-6, 50), st.floats(1e-6, 50), st.floats(0, 3_600), st.floats(0, 1_800), st.floats(0, 1_800))
def test_no_lesson_makes_anything_faster_than_it_can_be(
    a: float, b: float, road_s: float, setup_s: float, service_s: float
) -> None:
    stop = a_stop(1, setup_s=setup_s, service_s=service_s)
    knows = known(visit__van=a, leg__van=b, setup__van=b, **{f"visit/address/{address_key(stop)}": b})
    found = expecting(knows)
    visit, leg = found.visit(stop), found.leg(way(road_s))
    assert leg.travel_s >= FASTEST * road_s
    assert visit.takes_s >= min(setup_s + service_s, VISIT_FLOOR_S) * (1 - 1e-9)
    assert visit.setup_s >= 0 <= visit.service_s
    assert leg.sd_s >= 0 <= visit.sd_s


def test_a_slow_morning_makes_the_afternoon_slower_but_not_after_one_stop() -> None:
    one = DaySums().plus(400, 200, 4.0)
    many = DaySums(count=40, took_s=40 * 300, expected_s=40 * 200, squares=40)
    factors = [expecting(visits=sums).visits_factor for sums in (DaySums(), one, many)]
    assert factors[0] == 1.0
    assert 1.0 < factors[1] < 1.15
    assert 1.3 < factors[2] < 1.5


def test_the_doubt_about_today_shrinks_with_what_was_done() -> None:
    doubts = [
        expecting(visits=DaySums(count=n, took_s=200.0 * n, expected_s=200.0 * n, squares=n)).visits_doubt
        for n in (0, 5, 40)
    ]
    assert doubts[0] > doubts[1] > doubts[2] > 0


def test_an_address_that_is_known_is_surer() -> None:
    knows = Known(day=10, levels={f"visit/address/{address_key(STOP)}": Level(weight=6, mean=1.0, day=10)})
    assert expecting(knows).visit(STOP).sd_s < expecting().visit(STOP).sd_s


def test_the_same_words_are_the_same_address_however_they_are_spaced() -> None:
    def key(number: str, street: str, **changes: object) -> str:
        address = Address(number=number, street=street, postcode="4050-262", city="Porto")
        return address_key(a_stop(1, address=address, **changes))

    assert key("5", "Rua  das Flores") == key("5 ", "rua das flores", stop_id="other")
    assert key("5", "Rua das Flores") != key("6", "Rua das Flores")
    assert "flores" not in key("5", "Rua das Flores")


def test_without_street_and_number_the_place_is_the_address() -> None:
    def stop(north_m: float) -> Stop:
        place = a_place(north_m=north_m)
        return a_stop(1, address=Address(city="Porto"), lat_deg=place.lat_deg, lon_deg=place.lon_deg)

    assert address_key(stop(0)) == address_key(stop(1))
    assert address_key(stop(0)) != address_key(stop(100))


def test_an_hour_is_that_of_the_clock_on_the_wall() -> None:
    summer = at(0).replace(month=7, day=20)
    assert hour_key(at(0), "Europe/Lisbon") == "weekday-08"
    assert hour_key(summer, "Europe/Lisbon") == "weekday-09"
    assert hour_key(summer + timedelta(days=5), "no/where") == "weekend-08"
