"""`python -m agent VAN.toml`: one van. Ends by Ctrl-C or SIGTERM; exit 2, with one line why, when it cannot start.
`python -m agent export|import VAN.toml BUNDLE`: see `carry.py`.
"""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from agent.app import App
from agent.carry import export, take
from agent.config import Settings, read_settings
from agent.errors import CarryError, ConfigError, StoreError
from host.loopback import LoopbackOnlyError, PortTakenError

USAGE = """usage: python -m agent VAN.toml
       python -m agent export VAN.toml BUNDLE    what waits for the coordinator, to a USB stick
       python -m agent import VAN.toml BUNDLE    manifest, conditions and receipts from there"""


def main(arguments: list[str]) -> int:
    """The exit code."""
    os.umask(0o077)  # names, addresses and signatures are for nobody else on this machine
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        match arguments:
            case ["export", settings, bundle]:
                print(asyncio.run(export(read_settings(Path(settings)), Path(bundle))))
            case ["import", settings, bundle]:
                print(asyncio.run(take(read_settings(Path(settings)), Path(bundle))))
            case [settings] if not settings.startswith("-"):
                asyncio.run(_run(read_settings(Path(settings))))
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except (ConfigError, LoopbackOnlyError, PortTakenError, StoreError, CarryError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        print(f"agent: {said}", file=sys.stderr)
        return 2
    return 0


async def _run(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await App(settings, lambda line: print(line, flush=True)).run(stopped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
