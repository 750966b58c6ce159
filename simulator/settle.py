"""After a run whose simulator was killed: coordinator and vans start again on the disks they left, nobody driving, and
what the drivers had seen saved is held against the coordinator once everything has gone up.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from simulator import fleet, stage, verdict

SETTLE_S = 90.0


async def settle(folder: Path, say: Callable[[str], None]) -> int:
    """0 when nothing a driver saw saved is lost or doubled, else 1. Raises NoStageError, NotUpError."""
    set_up = stage.staged(folder)
    notebooks = folder / "drivers"
    async with AsyncExitStack() as parts:
        say("broker and coordinator, on the disk they left")
        _, dispatcher = await fleet.coordinator_up(set_up, parts)
        say(f"{len(set_up.vans)} vans, on the disks they left")
        for van in set_up.vans:
            await fleet.van_back(set_up, van, parts)
        say("waiting until the vans have nothing left to say")
        is_settled = await verdict.settled(dispatcher, verdict.notebooks(notebooks), SETTLE_S)
        found = (await verdict.judge(dispatcher, notebooks)).comparison
    for complaint in found.complaints:
        say(complaint)
    if not is_settled:
        say(f"after {SETTLE_S:.0f} s the vans still have something to say")
    say(
        f"{found.saved_seen} saved seen, {found.lost} lost, {found.doubled} doubled, {found.blob_mismatches} mismatches"
    )
    return 0 if is_settled and not (found.lost or found.doubled or found.blob_mismatches) else 1
