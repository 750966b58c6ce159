"""The agent or the coordinator as `python -m agent` and `python -m cloud` run them, but for the broker's address: a
namespace's, where the settings take loopback alone. `--plant NAME`: with one of the mutants in it.
"""

import asyncio
import contextlib
import logging
import sys
from pathlib import Path

import agent.app
import agent.config
import cloud.app
import cloud.config
from tests.rig.link.plan import CLOUD


async def _run(who: str, config: Path, broker: str) -> None:
    stopped = asyncio.Event()
    if who == CLOUD:
        settings = cloud.config.read_settings(config)
        there = settings.broker.model_copy(update={"host": broker})
        await cloud.app.run(settings.model_copy(update={"broker": there}), stopped, print)
        return
    van = agent.config.read_settings(config)
    await agent.app.App(van.model_copy(update={"broker": van.broker.model_copy(update={"host": broker})}), print).run(
        stopped
    )


def main(who: str, config: str, broker: str, plant: str = "") -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with contextlib.ExitStack() as planted:
        if plant:
            from tests.rig.mutants import MUTANTS  # noqa: PLC0415

            planted.enter_context(MUTANTS[plant]())
        asyncio.run(_run(who, Path(config), broker))


if __name__ == "__main__":
    main(*sys.argv[1:])
