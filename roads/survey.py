"""What a builder must find out about an extract: its bounds, and journeys in it that work."""

import http.client
import json
import math
import subprocess
import time
from pathlib import Path
from typing import Any

from host.child import dying_with_us
from host.loopback import free_port
from roads import osrm
from roads.errors import BuildError
from wire.geo import Place

GRID = 8
PROBES = 3
START_WITHIN_S = 60.0

type Bounds = tuple[float, float, float, float]
"""west, south, east, north in degrees."""


def bounds(pbf: Path) -> Bounds:
    """From the file's header, or from all its nodes when the header has none. Raises BuildError."""
    try:
        import osmium  # noqa: PLC0415  (only builders need it; a van has none)
    except ImportError as error:
        raise BuildError("building a map pack needs osmium: `pip install osmium`") from error
    try:
        with osmium.io.Reader(str(pbf), osmium.osm.osm_entity_bits.NOTHING) as reader:
            box = reader.header().box()
        if box.valid():
            low, high = box.bottom_left, box.top_right
            return (low.lon, low.lat, high.lon, high.lat)
        west, south, east, north = math.inf, math.inf, -math.inf, -math.inf
        for node in osmium.FileProcessor(str(pbf), osmium.osm.NODE):
            if isinstance(node, osmium.osm.Node):
                west, east = min(west, node.lon), max(east, node.lon)
                south, north = min(south, node.lat), max(north, node.lat)
    except (RuntimeError, ValueError) as error:
        raise BuildError(f"{pbf} is no OSM extract that can be read: {error}") from error
    if not west < east or not south < north:
        raise BuildError(f"{pbf} holds no area: it has fewer than two places")
    return (west, south, east, north)


def journeys(base: Path, area: Bounds) -> list[tuple[Place, Place, float]]:
    """Start, end and seconds of journeys there and back among a grid of places, on a fresh network.

    The longest first, then others that begin and end elsewhere, PROBES at most.

    Raises BuildError when no two of them are connected.
    """
    port = free_port()
    argv, extra = dying_with_us(osrm.server_command(base, port))
    nothing = subprocess.DEVNULL
    with subprocess.Popen(argv, cwd=base.parent, stdin=nothing, stdout=nothing, **extra) as server:
        try:
            _wait_until_up(server, port)
            places = _on_roads(port, area)
            durations = _ask(port, "table", {"coordinates": places, "annotations": ["duration"]})["durations"]
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise BuildError(f"the new road network does not answer ({error!r}): is the extract empty?") from error
        finally:
            server.terminate()
    both_ways = sorted(
        (
            (float(there_s), i, j)
            for i, row in enumerate(durations)
            for j, there_s in enumerate(row)
            if there_s and durations[j][i] is not None
        ),
        reverse=True,
    )
    chosen: list[tuple[Place, Place, float]] = []
    used: set[int] = set()
    for seconds, i, j in both_ways:
        if len(chosen) < PROBES and not used & {i, j}:
            used |= {i, j}
            start, end = (Place(lat_deg=places[index][1], lon_deg=places[index][0]) for index in (i, j))
            chosen.append((start, end, seconds))
    if not chosen:
        raise BuildError("no two places of the extract are connected by a road: is it an extract with streets?")
    return chosen


def _on_roads(port: int, area: Bounds) -> list[list[float]]:
    west, south, east, north = area
    steps = [(number + 0.5) / GRID for number in range(GRID)]
    grid = [[west + (east - west) * x, south + (north - south) * y] for x in steps for y in steps]
    wish = {"coordinates": grid, "radiuses": ["unlimited"] * len(grid)}
    found = [waypoints[0]["location"] for waypoints in _ask(port, "nearest", wish)["waypoints"] if waypoints]
    return [list(place) for place in sorted({(lon, lat) for lon, lat in found})]


def _ask(port: int, service: str, wish: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            "POST", f"/{service}/v1/driving", json.dumps(wish), headers={"Content-Type": "application/json"}
        )
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def _wait_until_up(server: subprocess.Popen[bytes], port: int) -> None:
    give_up_at = time.monotonic() + START_WITHIN_S
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            raise BuildError(f"the new road network does not load: osrm-routed ended with code {server.returncode}")
        try:
            _ask(port, "nearest", {"coordinates": [[0, 0]]})
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BuildError(f"the new road network did not load within {START_WITHIN_S:g} s")
