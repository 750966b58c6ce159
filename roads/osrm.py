"""The only file that knows OSRM: its programs, their arguments, and the questions its HTTP server answers.

OSRM puts longitude first; here it is turned round, in both directions, and nowhere else.
"""

import asyncio
import importlib.util
import os
import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp

from roads.answers import Cells, Leg, Located, Manoeuvre
from roads.errors import EngineError, RoadsError
from wire.events import TimesSource
from wire.geo import Kerb, Place

SNAP_M = 150
"""A place farther than this from any road is not on the road network: OSRM alone would snap it to any distance."""

MAX_PLACES = 500
ANSWER_WITHIN_S = 10.0
CHANGED_BY_CUSTOMIZE = (".geometry", ".datasource_names", ".mldgr", ".cell_metrics")
"""The files that osrm-customize writes in place; all the others it only reads."""

VAN_PROFILE = "van.lua"

STOPS = {"continue_straight": False}
"""A van may turn round where it stopped, as a matrix takes for granted; by itself a route goes on past each place."""

_USED_SPEEDS = re.compile(r"Used (\d+) speeds from (\S.*)$", re.MULTILINE)


class Refusal(StrEnum):
    """Ordinary answers that are no answer."""

    NO_ROAD = "no road within reach of a place"
    NO_ROUTE = "no road leads there"
    DOWN = "the engine does not answer"


def program(name: str) -> str:
    """The path of one of OSRM's programs. Raises RoadsError when the package is not installed."""
    spec = importlib.util.find_spec("osrm")  # found, not imported: the library would be loaded for nothing
    if spec is None or spec.origin is None:
        raise RoadsError("OSRM is not installed: `pip install osrm-bindings`")
    return str(Path(spec.origin).parent / "bin" / name)


def van_profile(folder: Path) -> str:
    """What `build_commands` wants as `van.lua` beside the extract, in `folder`: OSRM's own profile of a car, without
    the choice to avoid tolls, motorways or ferries. Each of the three would be a network of its own to customise.
    """
    profiles = Path(program("osrm-extract")).parent.parent / "share" / "profiles"
    return f"""package.path = '{os.path.relpath(profiles, folder)}/?.lua;' .. package.path
local car = require('car')
local setup_of_a_car = car.setup
car.setup = function()
  local profile = setup_of_a_car()
  profile.excludable = Sequence {{}}
  return profile
end
return car
"""


def build_commands(pbf: Path) -> list[list[str]]:
    """The three steps from `X.osm.pbf` to `X.osrm.*` beside it, run in its folder: OSRM takes no path with a blank."""
    base = pbf.name.removesuffix(".osm.pbf") + ".osrm"
    return [
        [program("osrm-extract"), "-p", VAN_PROFILE, pbf.name],
        [program("osrm-partition"), base],
        [program("osrm-customize"), base],
    ]


def customize_command(base: Path, speed_files: Sequence[Path]) -> list[str]:
    """Puts speed files into a working copy, run in its folder. Never for a pack itself: it changes files in place."""
    speeds = [word for file in speed_files for word in ("--segment-speed-file", file.name)]
    return [program("osrm-customize"), *speeds, base.name]


def used_speeds(log: str) -> dict[str, int]:
    """How many pieces of road each speed file met, by path, from what osrm-customize says."""
    return {path.strip(): int(count) for count, path in _USED_SPEEDS.findall(log)}


def server_command(base: Path, port: int) -> list[str]:
    """`osrm-routed` on loopback, run in the folder of `base`. Switches say `=1`: else they swallow the next word."""
    return [
        *(program("osrm-routed"), "--algorithm", "mld", "--mmap=1", "--ip", "127.0.0.1", "--port", str(port)),
        *("--max-table-size", str(MAX_PLACES), "--max-viaroute-size", str(MAX_PLACES)),
        *("--max-nearest-locations", str(MAX_PLACES), "--max-matching-size", str(MAX_PLACES)),
        *("--default-radius", str(SNAP_M), "--verbosity", "WARNING", base.name),
    ]


class Osrm:
    """Questions to one running server. Each answers a Refusal where there is no answer."""

    def __init__(self, port: int) -> None:
        self._base_url = f"http://127.0.0.1:{port}"
        # One connection a question: the server drops idle ones after 5 s, and a POST is not sent again by itself.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, limit=8),
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S),
        )
        self.is_hanging = False
        """True once it let a question wait until the time ran out."""

    async def close(self) -> None:
        await self._session.close()

    async def locate(self, places: Sequence[Place], *, is_anywhere: bool = False) -> list[Located | None] | Refusal:
        """Each place on its nearest road, or None where there is none within SNAP_M; or the nearest of all."""
        if not places:
            return []
        radius = {"radiuses": ["unlimited"] * len(places)} if is_anywhere else {}
        answer = await self._ask("nearest", {"coordinates": _lon_lat(places), **radius})
        if answer is Refusal.NO_ROAD:
            return [None] * len(places)  # it refuses the question only when none of the places has a road
        if isinstance(answer, Refusal):
            return answer
        # A lone place is answered with a list of waypoints; several with such lists, and an object for one without.
        found = answer["waypoints"] if len(places) > 1 else [answer["waypoints"]]
        return [_located(waypoints[0]) if isinstance(waypoints, list) else None for waypoints in found]

    async def table(
        self, places: Sequence[Place], sources: Sequence[int] = (), destinations: Sequence[int] = ()
    ) -> tuple[Cells, Cells] | Refusal:
        """Seconds and metres from each place to each; None where no road leads. NO_ROAD when one place has none.

        With `sources` only from those, with `destinations` only to those, by their number in the list.
        """
        wish: dict[str, Any] = {**_through(places), "annotations": ["duration", "distance"]}
        chosen = {"sources": list(sources), "destinations": list(destinations)}
        answer = await self._ask("table", wish | {name: which for name, which in chosen.items() if which})
        if isinstance(answer, Refusal):
            return answer
        return _cells(answer["durations"]), _cells(answer["distances"])

    async def route(
        self, places: Sequence[Place]
    ) -> tuple[list[list[tuple[float, float]]], list[Leg], list[Manoeuvre]] | Refusal:
        """The way through the places: a line as (lon, lat) for each leg, the legs, the manoeuvres."""
        wish = {**_through(places), "steps": True, "geometries": "geojson", "overview": "false"}
        answer = await self._ask("route", wish | STOPS)
        if isinstance(answer, Refusal):
            return answer
        legs = answer["routes"][0]["legs"]
        return (
            [_leg_line(leg["steps"]) for leg in legs],
            [Leg(float(leg["duration"]), float(leg["distance"])) for leg in legs],
            [_manoeuvre(step, number) for number, leg in enumerate(legs) for step in leg["steps"]],
        )

    async def pieces(self, places: Sequence[Place]) -> list[list[tuple[int, int]]] | Refusal:
        """The pieces of road under each leg of the way through the places: from node, to node."""
        answer = await self._ask("route", {**_through(places), "overview": "false", "annotations": ["nodes"], **STOPS})
        if isinstance(answer, Refusal):
            return answer
        return [list(pairwise(leg["annotation"]["nodes"])) for leg in answer["routes"][0]["legs"]]

    async def match(
        self, places: Sequence[Place], sigma_m: float
    ) -> tuple[list[tuple[int, int, float]], float] | Refusal:
        """The pieces of road under a line of places, in order: from node, to node, metres driven on it; and which
        share of the places was found on roads.
        """
        wish = {"coordinates": _lon_lat(places), "radiuses": [sigma_m] * len(places), "gaps": "ignore"}
        answer = await self._ask("match", {**wish, "overview": "false", "annotations": ["nodes", "distance"]})
        if isinstance(answer, Refusal):
            return answer
        pieces: list[tuple[int, int, float]] = []
        for matching in answer["matchings"]:
            for leg in matching["legs"]:
                nodes, metres = leg["annotation"]["nodes"], leg["annotation"]["distance"]
                pieces += [(a, b, m) for (a, b), m in zip(pairwise(nodes), metres, strict=False)]
        return pieces, sum(point is not None for point in answer["tracepoints"]) / len(places)

    async def _ask(self, service: str, wish: dict[str, Any]) -> dict[str, Any] | Refusal:
        try:
            async with self._session.post(f"{self._base_url}/{service}/v1/driving", json=wish) as response:
                answer = await response.json(content_type=None)
        except TimeoutError:
            self.is_hanging = True
            return Refusal.DOWN
        except (aiohttp.ClientError, OSError, ValueError):
            return Refusal.DOWN  # gone, or died in the middle of a word
        match answer["code"]:
            case "Ok":
                return dict(answer)
            case "NoSegment":
                return Refusal.NO_ROAD
            case "NoRoute" | "NoMatch" | "NoTable":
                return Refusal.NO_ROUTE
            case code:
                raise EngineError(f"OSRM refused a {service} question: {code}, {answer.get('message', '')}")


async def wait_for_port(port: int) -> bool:
    """True when something listens there: the cheapest sign of life of a server that is starting."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _lon_lat(places: Sequence[Place]) -> list[list[float]]:
    return [[place.lon_deg, place.lat_deg] for place in places]


def _through(places: Sequence[Place]) -> dict[str, Any]:
    """The places of a question, and from which side of the road each is reached."""
    asked: dict[str, Any] = {"coordinates": _lon_lat(places)}
    if any(isinstance(place, Kerb) for place in places):
        asked["approaches"] = ["curb" if isinstance(place, Kerb) else "unrestricted" for place in places]
    return asked


def _place(lon_lat: Sequence[float]) -> Place:
    return Place(lat_deg=lon_lat[1], lon_deg=lon_lat[0])


def _cells(rows: list[list[float | None]]) -> Cells:
    return tuple(tuple(row) for row in rows)


def _located(waypoint: dict[str, Any]) -> Located:
    return Located(
        place=_place(waypoint["location"]),
        distance_m=float(waypoint["distance"]),
        street=str(waypoint["name"]),
        source=TimesSource.ROADS,
        pair=(int(waypoint["nodes"][0]), int(waypoint["nodes"][1])),
    )


def _leg_line(steps: list[dict[str, Any]]) -> list[tuple[float, float]]:
    line: list[tuple[float, float]] = []
    for step in steps:
        for lon_deg, lat_deg in step["geometry"]["coordinates"]:
            if not line or line[-1] != (lon_deg, lat_deg):
                line.append((lon_deg, lat_deg))
    return line


def _manoeuvre(step: dict[str, Any], leg: int) -> Manoeuvre:
    manoeuvre = step["maneuver"]
    return Manoeuvre(
        type=str(manoeuvre["type"]),
        modifier=str(manoeuvre.get("modifier", "")),
        street=str(step["name"]),
        place=_place(manoeuvre["location"]),
        distance_m=float(step["distance"]),
        leg=leg,
        exit=int(manoeuvre.get("exit", 0)),
        ref=str(step.get("ref", "")),
        destinations=str(step.get("destinations", "")),
        roundabout=str(step.get("rotary_name", "")),
        keeps=str(step.get("driving_side", "")),
    )
