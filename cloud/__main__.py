"""`python -m cloud CLOUD.toml`: the coordinator. Ends by Ctrl-C or SIGTERM; exit 2, with one line why, when it cannot
start.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from cloud.app import run
from cloud.config import CloudSettings, read_settings
from cloud.errors import CloudError
from host.folder import FolderError
from host.loopback import LoopbackOnlyError, PortTakenError

USAGE = "usage: python -m cloud CLOUD.toml"


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        asyncio.run(_run(read_settings(Path(arguments[0]))))
    except PortTakenError as error:
        return _refused(error.strerror)
    except (CloudError, LoopbackOnlyError, FolderError, OSError) as error:
        return _refused(error)
    return 0


def _refused(why: object) -> int:
    print(f"cloud: {why}", file=sys.stderr)
    return 2


async def _run(settings: CloudSettings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await run(settings, stopped, lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
