"""What publications say, read into closures and hours of weather."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.feeds.datex2 import read_datex2
from cloud.feeds.forecast import EFFECTS, read_forecast
from cloud.feeds.geojson import read_geojson
from cloud.feeds.nearby import MOST, near
from cloud.feeds.published import FeedError
from tests.cloud.feeds.replies import DATEX2_V2, DATEX2_V3, NOW, OPEN_METEO, PLAIN, WZDX
from wire.geo import Place
from wire.manifest import Closure, Weather


def test_of_wzdx_only_a_road_with_all_lanes_closed_is_closed_and_only_its_way() -> None:
    found = read_geojson(WZDX, "works", NOW)
    (closure,) = found.closures
    assert closure.note == "Water main"
    assert not closure.both_ways
    assert closure.line[0] == (41.145, -8.611)
    assert closure.valid_until == datetime(2026, 11, 30, 18, tzinfo=UTC)
    assert [why.partition(":")[0] for why in found.left_out] == ["over", "broken"]


def test_a_plain_feature_is_closed_when_it_says_so_until_the_end_of_tomorrow() -> None:
    found = read_geojson(PLAIN, "town", NOW)
    assert [closure.note for closure in found.closures] == ["Ponte", "Ponte"]
    assert found.closures[0].closure_id != found.closures[1].closure_id
    assert found.closures[0].both_ways
    assert found.closures[0].valid_until == datetime(2026, 11, 25, tzinfo=UTC)


def test_datex2_of_version_2_closes_between_two_ends() -> None:
    found = read_datex2(DATEX2_V2, "fi", NOW)
    (closure,) = found.closures
    assert closure.note == "Silta suljettu"
    assert closure.line == ((60.17, 24.94), (60.172, 24.941))
    assert closure.both_ways
    assert closure.valid_from == datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert found.left_out == ("CODED: it says where by a code and not by coordinates",)


def test_datex2_of_version_3_closes_along_its_line() -> None:
    found = read_datex2(DATEX2_V3, "nl", NOW)
    (closure,) = found.closures
    assert closure.line[0] == (52.37, 4.895)
    assert len(closure.line) == 3
    assert not closure.both_ways
    assert found.left_out == ("LAMBERT: its coordinates are in EPSG:31370, and only EPSG:4326 is read",)


def test_what_says_the_same_is_the_same_closure_and_what_changed_is_another() -> None:
    first, again = (read_geojson(WZDX, "works", NOW + timedelta(hours=n)).closures[0] for n in (0, 3))
    moved = read_geojson(WZDX.replace(b"-11-30T", b"-12-01T"), "works", NOW).closures[0]
    assert first == again
    assert moved.closure_id != first.closure_id


@pytest.mark.parametrize("read", [read_geojson, read_datex2])
@pytest.mark.parametrize(
    "body", [b"", b"<html>Not found</html>", b"[]", b'{"features": 3}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_publication_is_said_to_be_none(read: object, body: bytes) -> None:
    with pytest.raises(FeedError, match=r"what came is"):
        read(body, "feed", NOW)  # type: ignore[operator]


def test_xml_that_defines_its_own_entities_is_not_read() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "ha">]><payload>&x;</payload>'
    with pytest.raises(FeedError, match="definitions"):
        read_datex2(bomb, "feed", NOW)


def test_nor_in_another_encoding_nor_in_one_that_nobody_knows() -> None:
    bomb = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "ha">]><payload>&x;</payload>'
    with pytest.raises(FeedError, match="definitions"):
        read_datex2(bomb.encode("utf-16"), "feed", NOW)
    with pytest.raises(FeedError, match="no XML"):
        read_datex2(b'<?xml version="1.0" encoding="nonsense"?><payload/>', "feed", NOW)


@pytest.mark.parametrize("lon", [10**400, float("nan"), "1e999"])
def test_a_number_that_is_no_place_costs_its_feature_alone(lon: object) -> None:
    document = json.loads(WZDX)
    document["features"][1]["properties"]["vehicle_impact"] = "all-lanes-closed"
    document["features"][1]["geometry"]["coordinates"][0][0] = lon
    found = read_geojson(json.dumps(document).encode(), "works", NOW)
    assert [closure.note for closure in found.closures] == ["Water main"]
    assert found.left_out[0].startswith("narrow: ")


def test_half_a_surrogate_pair_can_be_told_of() -> None:
    found = read_geojson(PLAIN.replace(b'"bridge"', b'"\\ud800"').replace(b'"Ponte"', b'"\\ud800"'), "town", NOW)
    assert "".join(found.left_out).encode()


@pytest.mark.parametrize("offset_s", [10**12, -(10**12), 10**400])
def test_an_hour_before_all_time_is_no_hour(offset_s: int) -> None:
    with pytest.raises(FeedError):
        read_forecast(json.dumps({**json.loads(OPEN_METEO), "utc_offset_seconds": offset_s}).encode(), NOW)


def test_each_hour_of_bad_weather_has_its_effect_and_dry_hours_are_left_out() -> None:
    hours = read_forecast(OPEN_METEO, NOW)
    assert [hour.weather for hour in hours] == [
        Weather.RAIN, Weather.HEAVY_RAIN, Weather.SNOW, Weather.ICE, Weather.FOG,
    ]  # fmt: skip
    assert hours[0].begins == datetime(2026, 11, 23, 9, tzinfo=UTC)  # 10:00 where the clock is an hour ahead
    assert (hours[2].travel, hours[2].service) == EFFECTS[Weather.SNOW]


@pytest.mark.parametrize(
    "body",
    [
        b"no",
        b"{}",
        json.dumps({"error": True, "reason": "Cannot initialize from invalid String"}).encode(),
        OPEN_METEO.replace(b'"snowfall": [0.0, ', b'"snowfall": ['),
        OPEN_METEO.replace(b"2026-11-23T08:00", b"eight"),
    ],
)
def test_a_forecast_that_is_none_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(FeedError):
        read_forecast(body, NOW)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "type",
                        "properties",
                        "geometry",
                        "coordinates",
                        "closed",
                        "start_date",
                        "core_details",
                        "vehicle_impact",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_whatever_a_feature_says_the_rest_of_the_publication_is_read(nonsense: object) -> None:
    document = json.loads(WZDX)
    document["features"].append(nonsense)
    document["features"].append({"type": "Feature", "properties": nonsense, "geometry": nonsense})
    assert len(read_geojson(json.dumps(document).encode(), "works", NOW).closures) >= 1


def test_far_closures_are_not_taken_and_the_nearest_are_taken_first() -> None:
    depot = Place(lat_deg=41.15, lon_deg=-8.61)

    def closed(number: int, lat_deg: float) -> Closure:
        return Closure(
            closure_id=f"c{number}", line=((lat_deg, -8.61), (lat_deg, -8.6)), valid_from=NOW, valid_until=NOW
        )

    many = [closed(number, 41.15 + number * 1e-3) for number in range(MOST + 20)][::-1]
    kept, words = near([*many, closed(9_999, 60.0)], depot, 60.0)
    assert [closure.closure_id for closure in kept] == [f"c{number}" for number in range(MOST)]
    assert words == (f"the 20 farthest of {MOST + 20} closures near the depot: make within_km smaller",)
