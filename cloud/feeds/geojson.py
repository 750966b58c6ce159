"""Closed roads from GeoJSON: the Work Zone Data Exchange (WZDx 4), and plain features with the same few properties.

Of WZDx road events count those whose `vehicle_impact` is `all-lanes-closed`, in the direction of their line; a detour
is no closure. A plain feature is closed when `closed` is true. Read are `id`, `description` (or `name`), `start_date`,
`end_date` and, of plain features, `both_ways`; the geometry is a LineString or a MultiLineString, in (lon, lat).
WZDx: github.com/usdot-jpo-ode/wzdx, WorkZoneFeed 4.2.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cloud.feeds.published import FeedError, Publication, closed_line, instant
from wire.manifest import Closure


def read_geojson(body: bytes, feed: str, now: datetime) -> Publication:
    """Raises FeedError when it is no FeatureCollection. What is wrong with one feature is told of that one."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FeedError(f"what came is no JSON: {error}") from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise FeedError("what came is JSON and no GeoJSON FeatureCollection")
    closures: list[Closure] = []
    left_out: list[str] = []
    for number, feature in enumerate(features):
        its_id = str(feature.get("id", number)) if isinstance(feature, dict) else str(number)
        its_id = its_id.encode(errors="replace").decode()  # half of a surrogate pair could not even be logged
        try:
            found = list(_closures(feature, its_id, feed, now))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            found = [f"{its_id}: {error}"]
        closures += [one for one in found if isinstance(one, Closure)]
        left_out += [one for one in found if isinstance(one, str)]
    return Publication(tuple(closures), tuple(left_out))


def _closures(feature: dict[str, Any], its_id: str, feed: str, now: datetime) -> Iterator[Closure | str]:
    said = feature["properties"]
    core = said.get("core_details")
    if core is not None:
        if said.get("vehicle_impact") != "all-lanes-closed" or core.get("event_type") == "detour":
            return
        note, is_both_ways = core.get("description") or ", ".join(core.get("road_names", ())), False
    else:
        if said.get("closed") is not True:
            return
        note, is_both_ways = said.get("description") or said.get("name") or "", said.get("both_ways", True)
    for part in _lines(feature["geometry"]):
        yield closed_line(
            feed=feed,
            its_id=its_id,
            note=str(note),
            line=[(float(lat_deg), float(lon_deg)) for lon_deg, lat_deg, *_ in part],
            is_both_ways=bool(is_both_ways),
            begins=instant(said.get("start_date")),
            ends=instant(said.get("end_date")),
            now=now,
        )


def _lines(geometry: dict[str, Any]) -> list[list[list[float]]]:
    match geometry["type"]:
        case "LineString" | "MultiPoint":  # a WZDx event without a surveyed line gives its two ends
            return [geometry["coordinates"]]
        case "MultiLineString":
            return list(geometry["coordinates"])
        case kind:
            raise ValueError(f"a {kind} is no line of road")
