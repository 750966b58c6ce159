from datetime import timedelta
from xml.etree import ElementTree as ET

from scripts.closurepicture import NOW, Scene, Side, svg
from tests.builders import a_place
from wire.events import Eta, TimesSource


def a_side(order: tuple[str, ...], later_min: float) -> Side:
    def eta(number: int) -> Eta:
        p10, p50, p90 = (NOW + timedelta(minutes=later_min + 10 * number + spread) for spread in (-2, 0, 2))
        return Eta(p10=p10, p50=p50, p90=p90, times=TimesSource.ROADS, as_of=NOW)

    line = tuple((a_place(north_m=100 * k).lon_deg, a_place(north_m=100 * k).lat_deg) for k in range(4))
    return Side(order, line, {stop_id: eta(number) for number, stop_id in enumerate(order)}, 30 + later_min)


def test_the_picture_shows_both_orders_the_closed_bridge_and_a_band_for_each_arrival() -> None:
    scene = Scene(
        streets=((a_place(), a_place(north_m=300)),),
        river=(a_place(east_m=-50), a_place(east_m=50), a_place(north_m=20)),
        bridge=(a_place(north_m=100), a_place(north_m=200)),
        bridge_name="Ponte <Nova>",
        depot=a_place(),
        stops={"s1": a_place(north_m=90), "s2": a_place(north_m=290)},
        before=a_side(("s1", "s2"), 0),
        after=a_side(("s2", "s1"), 4),
    )
    drawn = ET.fromstring(svg(scene))
    kinds = [part.get("class") for part in drawn.iter() if part.get("class")]
    assert kinds.count("bar was") == kinds.count("bar now") == 3  # two stops and the key
    assert (kinds.count("bridge"), kinds.count("shut")) == (1, 3)
    words = [part.text for part in drawn.iter() if part.text]
    assert {"Ponte <Nova> open", "Ponte <Nova> closed", "1 (was 2)", "home after 34 min"} <= set(words)
