"""Receiver logs through the van's judge: what it believed, what it refused, and how far a silent receiver is guessed.

    scripts/bench gps --logs FOLDER --report FILE

A log is replayed as `python -m agent.gps replay` does. No clock is asked: other work on the machine changes no figure.
Beside them: how far off the way is that a van is reckoned to have come, in windows cut out of the drives.
"""

import argparse
import os
import sys
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from agent.gps.motion import MOVING_FROM_MPS
from agent.gps.nmea import Log
from agent.gps.position import Position
from agent.gps.quality import Refused
from agent.gps.reckoning import SPEED_SPREAD
from agent.gps.replay import Drive, replayed
from benchmarks.figure import Figure, conclude, percentile
from benchmarks.machine import machine
from wire.geo import EARTH_RADIUS_M, Place, distance_m, moved

WINDOWS_S = (10, 30, 60)
LONGEST_REFUSAL_S = 5.0
NO_VAN_MPS = 60.0
DRAWN = ("car-reno-2005-city", "quectel-eg25-g")
"""A drive, and a standing receiver that sees three satellites."""
DRAWN_EVERY_M = 15.0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench gps", description=__doc__)
    parser.add_argument("--logs", type=Path, default=_default(), metavar="FOLDER", help="NMEA logs, *.nmea and *.log")
    parser.add_argument("--report", type=Path, metavar="FILE")
    asked = parser.parse_args(argv)
    if asked.logs is None or not asked.logs.is_dir():
        print("there are no logs: say --logs FOLDER, or set ROUNDSMAN_DATA", file=sys.stderr)
        return 2
    at_start = machine(["scripts/bench", "gps", *argv], ["pydantic"])
    drives = {
        path.stem: (path, _drive(path)) for path in sorted(asked.logs.iterdir()) if path.suffix in (".nmea", ".log")
    }
    rows = [_row(path, drive) for path, drive in drives.values()]
    steps = [step for _, drive in drives.values() for step in drive.steps()]
    figures = [
        Figure(
            "fastest believed step",
            round(max(step.metres / step.seconds for step in steps), 1),
            "m/s",
            at_most=NO_VAN_MPS,
        ),
        Figure(
            "longest time with places and none believed",
            max(drive.longest_refusal_s() for _, drive in drives.values()),
            "s",
            at_most=LONGEST_REFUSAL_S,
        ),
        *_reckoning([drive for _, drive in drives.values()]),
    ]
    tracks = {name: _drawn(drives[name][1]) for name in DRAWN if name in drives}
    conclude(figures, rows, at_start, asked.report, beside={"is_timed": False, "tracks": tracks})
    return 0 if all(figure.is_met is not False for figure in figures) else 1


def _default() -> Path | None:
    folder = os.environ.get("ROUNDSMAN_DATA")
    return Path(folder) / "nmea" if folder else None


def _drive(path: Path) -> Drive:
    return replayed(tuple(Log().epochs(path.read_bytes().splitlines())))


def _row(path: Path, drive: Drive) -> dict[str, Any]:
    steps, blind = list(drive.steps()), drive.refused.get(Refused.NO_FIX, 0)
    largest = max(steps, key=lambda step: step.metres)
    return {
        "log": path.name,
        "fixes": len(drive.judged),
        "accepted": len(drive.accepted),
        "without a fix": blind,
        "refused": len(drive.judged) - len(drive.accepted) - blind,
        "distance": f"{sum(step.metres for step in steps) / 1000:.2f} km",
        "largest step": f"{largest.metres:.1f} m in {largest.seconds:g} s",
        "fastest step": f"{max(step.metres / step.seconds for step in steps):.1f} m/s",
        "longest refusal": f"{drive.longest_refusal_s():g} s",
        "arrivals": len(drive.halts),
    }


def _reckoning(drives: Sequence[Drive]) -> list[Figure]:
    """How far off the distance is that the speed at the begin of a window says, as a share of it: 95th percentile."""
    shares: dict[int, list[float]] = {window_s: [] for window_s in WINDOWS_S}
    for drive in drives:
        positions = [one.position for one in drive.accepted if one.position is not None]
        if not positions or max(position.speed_mps or 0.0 for position in positions) < 2 * MOVING_FROM_MPS:
            continue  # not a drive
        driven_m = [0.0, *accumulate(distance_m(a.place, b.place) for a, b in pairwise(positions))]
        at_s = [(position.fixed_at - positions[0].fixed_at).total_seconds() for position in positions]
        for window_s, found in shares.items():
            found.extend(_shares(positions, driven_m, at_s, window_s))
    return [
        Figure(
            f"reckoned for {window_s} s with the last speed: off by that share of the way, p95",
            round(percentile(found, 0.95), 2),
            "of it",
            at_most=SPEED_SPREAD,
        )
        for window_s, found in shares.items()
        if found
    ]


def _shares(
    positions: Sequence[Position], driven_m: Sequence[float], at_s: Sequence[float], window_s: int
) -> list[float]:
    shares = []
    for begin, position in enumerate(positions):
        end = bisect_left(at_s, at_s[begin] + window_s)
        if (position.speed_mps or 0.0) < MOVING_FROM_MPS or end == len(at_s) or at_s[end] > at_s[begin] + window_s + 1:
            continue
        reckoned_m = (position.speed_mps or 0.0) * window_s
        shares.append(abs(reckoned_m - (driven_m[end] - driven_m[begin])) / reckoned_m)
    return shares


def _drawn(drive: Drive) -> dict[str, Any]:
    """Metres east and north of the first believed place; of the believed ones those that are apart enough to see."""
    start = drive.accepted[0].position
    assert start is not None
    squeeze = moved(start.place, north_m=0, east_m=1_000).lon_deg - start.lon_deg

    def flat(lat_deg: float, lon_deg: float) -> list[float]:
        north_m = (lat_deg - start.lat_deg) * EARTH_RADIUS_M * 3.141592653589793 / 180
        return [round((lon_deg - start.lon_deg) / squeeze * 1_000, 1), round(north_m, 1)]

    is_small = max(distance_m(start.place, one.position.place) for one in drive.accepted if one.position) < 1_000
    accepted: list[list[float]] = []
    last: Place | None = None
    for one in drive.accepted:
        assert one.position is not None
        if last is None or is_small or distance_m(last, one.position.place) >= DRAWN_EVERY_M:
            accepted.append(flat(one.position.lat_deg, one.position.lon_deg))
            last = one.position.place
    refused = [
        flat(one.fix.lat_deg, one.fix.lon_deg)
        for one in drive.judged
        if one.why is not None and one.fix is not None and one.fix.lat_deg is not None and one.fix.lon_deg is not None
    ]
    halts = [flat(halt.position.lat_deg, halt.position.lon_deg) for halt in drive.halts]
    return {"accepted": accepted, "refused": refused, "halts": halts}
