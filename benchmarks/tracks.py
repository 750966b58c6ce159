"""Named tracks for the uplink benchmark: the town's day, and receiver logs from a folder, as the van's breadcrumbs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.gps.gpsd import RawFix
from agent.gps.observer import Observer
from agent.gps.quality import EARLIEST
from wire.track import Breadcrumb

EPH_PER_HDOP_M = 19.0
"""gpsd's horizontal error for a plain receiver, per unit of HDOP."""
SHORTEST_S = 300.0
MPS_PER_KNOT = 1852 / 3600


@dataclass(frozen=True)
class Track:
    name: str
    crumbs: tuple[Breadcrumb, ...]

    @property
    def spans_s(self) -> float:
        return (self.crumbs[-1].wall_ms - self.crumbs[0].wall_ms) / 1000


def track(name: str, fixes: Sequence[RawFix]) -> Track:
    """The breadcrumbs that the van's own receiver room makes of raw fixes."""
    # A log of 2005 is believed as of 2005: the room refuses anything before this agent was made.
    observer = Observer(min(EARLIEST, fixes[0].time) if fixes else EARLIEST)
    crumbs = []
    for fix in fixes:
        observed = observer.observe(fix, fix.time.timestamp())
        if observed.breadcrumb is not None:
            crumbs.append(observed.breadcrumb)
    return Track(name, tuple(crumbs))


def read_logs(folder: Path) -> list[Track]:
    """A track for each NMEA log of a folder that spans a whole batch of 300 s. Raises ValueError when none does."""
    tracks = [track(path.stem, read_nmea(path)) for path in sorted([*folder.glob("*.nmea"), *folder.glob("*.log")])]
    found = [one for one in tracks if one.crumbs and one.spans_s >= SHORTEST_S]
    if not found:
        raise ValueError(f"{folder} holds no NMEA log (*.nmea, *.log) of {SHORTEST_S:g} s or more")
    return found


def read_nmea(path: Path) -> list[RawFix]:
    """The fixes of a log: place, speed and course from RMC, the error from the HDOP of the GGA before it."""
    fixes: list[RawFix] = []
    hdop: float | None = None
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        words = line.split("*")[0].split(",")
        if words[0].endswith("GGA") and len(words) > 8:
            hdop = float(words[8]) if words[8] else None
        elif words[0].endswith("RMC") and len(words) > 9 and words[2] == "A" and words[1] and words[9]:
            fixes.append(_fix(words, hdop))
    return fixes


def _fix(words: Sequence[str], hdop: float | None) -> RawFix:
    clock = words[1].split(".")[0]
    return RawFix(
        time=datetime.strptime(f"{words[9]} {clock}", "%d%m%y %H%M%S").replace(tzinfo=UTC),
        mode=3,
        lat_deg=_degrees(words[3], words[4]),
        lon_deg=_degrees(words[5], words[6]),
        speed_mps=float(words[7]) * MPS_PER_KNOT if words[7] else None,
        track_deg=float(words[8]) if words[8] else None,
        eph_m=None if hdop is None else EPH_PER_HDOP_M * hdop,
    )


def _degrees(minutes: str, side: str) -> float:
    point = minutes.index(".") - 2
    value = float(minutes[:point]) + float(minutes[point:]) / 60
    return -value if side in "SW" else value
