"""`python -m cloud CLOUD.toml`: the coordinator. Ends by Ctrl-C or SIGTERM; exit 2, with one line why, when it cannot
start. `python -m cloud backup|restore|export|import CLOUD.toml FILE`: see `carry.py`.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from cloud.app import run
from cloud.carry import run_backup, run_export, run_import, run_restore
from cloud.config import CloudSettings, read_settings
from cloud.errors import CloudError
from host.folder import FolderError
from host.loopback import LoopbackOnlyError, PortTakenError

USAGE = """usage: python -m cloud CLOUD.toml
       python -m cloud backup CLOUD.toml FILE       also while it runs
       python -m cloud restore CLOUD.toml FILE
       python -m cloud export CLOUD.toml BUNDLE VAN
       python -m cloud import CLOUD.toml BUNDLE"""


def main(arguments: list[str]) -> int:
    """The exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        match arguments:
            case ["backup", settings, file]:
                print(run_backup(read_settings(Path(settings)), Path(file)))
            case ["restore", settings, file]:
                print(run_restore(read_settings(Path(settings)), Path(file)))
            case ["export", settings, file, van]:
                print(run_export(read_settings(Path(settings)), Path(file), van))
            case ["import", settings, file]:
                print(run_import(read_settings(Path(settings)), Path(file)))
            case [settings] if not settings.startswith("-"):
                asyncio.run(_run(read_settings(Path(settings))))
            case _:
                print(USAGE, file=sys.stderr)
                return 2
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
