"""What must be true of the track, asked of the disks: each breadcrumb that a van's disk took is at the coordinator
under its own seq with its own content, or is told of there as given up; nothing is under another's seq; and nothing
is told of as given up that was not.
"""

import json
import sqlite3
from dataclasses import dataclass
from itertools import accumulate

import zstandard

from tests.rig.trackbook import Content, TrackBook

_COLUMNS = ("wall_ms", "lat_udeg", "lon_udeg", "speed_cmps", "heading_deg", "error_dm")
type Seq = tuple[str, int]
"""Epoch and seq."""


@dataclass(frozen=True)
class Kept:
    """What the van's disk still has of a seq. Without content it is one that was given up."""

    content: Content | None
    is_waiting: bool


@dataclass
class Track:
    """Of one van, from its own disk and from the coordinator's."""

    kept: dict[Seq, Kept]
    crumbs: dict[Seq, Content]
    gaps: set[Seq]
    stands_at: dict[str, int]
    """The last seq that the van's disk gave, by epoch."""


def read(van: str, here: sqlite3.Connection, there: sqlite3.Connection) -> Track:
    trail = here.execute("SELECT epoch, first_seq, receipted_ms, crumbs_zstd FROM trail JOIN epochs USING (epoch_id)")
    kept = {
        (epoch, seq): Kept(content, receipted_ms is None)
        for epoch, first_seq, receipted_ms, packed in trail
        for seq, content in enumerate(_unpacked(packed), first_seq)
    }
    rows = there.execute(
        "SELECT epoch, seq, wall_ms, lat_deg, lon_deg, speed_mps, heading_deg, error_m FROM breadcrumbs WHERE van = ?",
        (van,),
    )
    scales = (1, 1e6, 1e6, 100, 1, 10)
    crumbs = {
        (epoch, seq): tuple(
            None if cell is None else round(cell * scale) for cell, scale in zip(row, scales, strict=True)
        )
        for epoch, seq, *row in rows
    }
    told = there.execute("SELECT epoch, first_seq, last_seq FROM track_gaps WHERE van = ?", (van,))
    gaps = {(epoch, seq) for epoch, first, last in told for seq in range(first, last + 1)}
    stands_at = here.execute(
        "SELECT epoch, next_seq - 1 FROM lanes JOIN epochs USING (epoch_id) WHERE lane = 'track' AND next_seq > 1"
    )
    return Track(kept, crumbs, gaps, dict(stands_at))


def rows(van: str, track: Track) -> tuple[list[str], list[str]]:
    """(lost, doubled): what the van's disk still has of what was receipted, against what the coordinator has."""
    lost, doubled = [], []
    for at, kept in track.kept.items():
        held = track.crumbs.get(at)
        if held is None and at not in track.gaps and not kept.is_waiting:
            lost.append(f"{van}'s breadcrumb {at[1]} is not at the coordinator")
        if held is not None and kept.content is not None and held != kept.content:
            doubled.append(f"{van}'s breadcrumb {at[1]} is something else at the coordinator")
    doubled += [
        f"{van} never had breadcrumb {seq}" for epoch, seq in track.crumbs if seq > track.stands_at.get(epoch, 0)
    ]
    return lost, doubled


def by_the_book(book: TrackBook, track: Track) -> tuple[list[str], list[str]]:
    """(lost, doubled): what its disk took, against both disks."""
    van, lost, doubled = book.van, list(book.lost), list(book.doubled)
    for epoch, lane in book.lanes.items():
        for seq, number in enumerate(lane, 1):
            at = (epoch, seq)
            held, kept, is_told = track.crumbs.get(at), track.kept.get(at), at in track.gaps
            waits = kept is not None and kept.is_waiting
            if number is None:
                if held is not None:
                    doubled.append(
                        f"{van}'s breadcrumb {seq} was given up, and the coordinator has {_which(book, held)}"
                    )
                elif not is_told and not waits:
                    lost.append(f"that {van}'s breadcrumb {seq} was given up is not told")
                continue
            own = book.told_of[number]
            if held is not None and held != own:
                doubled.append(
                    f"under {van}'s breadcrumb {seq}, fix {number}, the coordinator has {_which(book, held)}"
                )
            if held is None and not is_told and not waits:
                lost.append(f"{van}'s breadcrumb {seq}, fix {number}, is not at the coordinator")
            if kept is not None and kept.content not in (own, None):
                doubled.append(
                    f"under {van}'s breadcrumb {seq}, fix {number}, it has {_which(book, kept.content)} itself"
                )
            is_given_up = kept is not None and kept.content is None
            if (is_given_up or is_told) and not (book.may_thin and (kept is None or is_given_up)):
                lost.append(f"{van}'s breadcrumb {seq}, fix {number}, is told of as given up and was not")
    beyond = [at for at in {*track.crumbs, *track.gaps} if at[1] > len(book.lanes.get(at[0], ()))]
    doubled += [f"{van} never had breadcrumb {seq}" for _, seq in sorted(beyond)]
    return lost, doubled


def _which(book: TrackBook, content: Content | None) -> str:
    return f"fix {book.told_of.index(content)}" if content in book.told_of else f"what it was never told: {content}"


def _unpacked(packed: bytes) -> list[Content | None]:
    """A row of the trail, read without the code under test. A seq without a time is one that was given up."""
    said = json.loads(zstandard.ZstdDecompressor().decompress(packed))
    columns = [_summed(said[column]) for column in _COLUMNS]
    return [None if content[0] is None else content for content in zip(*columns, strict=True)]


def _summed(steps: list[int | None]) -> list[int | None]:
    sums = accumulate(step or 0 for step in steps)
    return [None if step is None else total for step, total in zip(steps, sums, strict=True)]
