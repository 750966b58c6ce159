"""`python -m agent VAN.toml`: one van. Ends by Ctrl-C or SIGTERM; exit 2, with one line why, when it cannot start."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from agent.app import App
from agent.config import Settings, read_settings
from agent.errors import ConfigError, StoreError
from host.loopback import LoopbackOnlyError, PortTakenError

USAGE = "usage: python -m agent VAN.toml"


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    os.umask(0o077)  # names, addresses and signatures are for nobody else on this machine
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings(Path(arguments[0]))
        asyncio.run(_run(settings))
    except (ConfigError, LoopbackOnlyError, PortTakenError, StoreError) as error:
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
