"""Gathers both sides at the end of a run: the drivers' notebooks, and what the coordinator answers over HTTP."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from simulator.dispatcher import Dispatcher, RefusedError, cloud_stop
from simulator.report import Comparison, SeenOutcome, SeenProof, compare
from simulator.seenlog import Seen, read_evidence, read_seen
from wire.model import Sha256

CLOSING = ("delivered", "failed")
EVIDENCE = ("photo", "signature")


@dataclass(frozen=True)
class Verdict:
    stops: int
    comparison: Comparison
    windows_kept: int
    windows_total: int
    replans_offline: int


def notebooks(folder: Path) -> list[Seen]:
    """Everything the drivers of a run noted, van by van."""
    return [seen for path in sorted(folder.glob("*.jsonl")) for seen in read_seen(path)]


async def settled(dispatcher: Dispatcher, seen: Sequence[Seen], patience_s: float) -> bool:
    """Waits until no van has anything left to say and all evidence is whole; False when nothing came any more."""
    loop = asyncio.get_running_loop()
    give_up_at, furthest = loop.time() + patience_s, (-1, 0)
    proofs = {note.stop_id for note in seen if note.kind in EVIDENCE}
    while loop.time() < give_up_at:
        try:
            picture = await dispatcher.picture()
        except (aiohttp.ClientError, OSError, TimeoutError, RefusedError):
            await asyncio.sleep(0.5)
            continue
        waiting = sum(van["waiting_rows"] for van in picture["vans"])
        whole = all(stop["proofs"] == stop["proofs_whole"] for stop in picture["stops"] if stop["stop_id"] in proofs)
        if whole and waiting == 0 and all(van["is_online"] for van in picture["vans"]):
            return True
        reached = (sum(stop["proofs_whole"] for stop in picture["stops"]), -waiting)
        if reached > furthest:  # a slow machine is no loss
            give_up_at, furthest = loop.time() + patience_s, reached
        await asyncio.sleep(0.5)
    return False


async def judge(dispatcher: Dispatcher, folder: Path) -> Verdict:
    """Holds the notebooks in `folder` against the coordinator."""
    seen = notebooks(folder)
    picture = await dispatcher.picture()
    pages = {stop["stop_id"]: await dispatcher.stop_page(stop["stop_id"]) for stop in picture["stops"]}
    evidence: dict[Sha256, bytes] = {}
    for note in seen:
        if note.sha256 is not None and note.sha256 not in evidence:
            data = await dispatcher.evidence(note.sha256)
            if data is not None:
                evidence[note.sha256] = data
    comparison = compare(
        outcomes=[SeenOutcome(n.van, n.stop_id, n.result) for n in seen if n.kind in CLOSING],
        proofs=[SeenProof(n.van, n.stop_id, n.kind, n.sha256) for n in seen if n.kind in EVIDENCE and n.sha256],
        stops={stop_id: cloud_stop(page) for stop_id, page in pages.items()},
        bytes_seen=read_evidence(folder),
        bytes_cloud=evidence,
    )
    kept, total = _windows(pages.values())
    return Verdict(len(pages), comparison, kept, total, sum(van["plans_made_offline"] for van in picture["vans"]))


def _windows(pages: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """How many stops with a window the van reached before it closed, of how many."""
    kept = total = 0
    for page in pages:
        window, reached = page["stop"]["window"], page["arrived_at"] or page["stop"]["closed_at"]
        if window is None:
            continue
        total += 1
        if reached is not None and datetime.fromisoformat(reached) <= datetime.fromisoformat(window["closes_at"]):
            kept += 1
    return kept, total
