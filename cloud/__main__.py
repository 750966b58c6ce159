"""`python -m cloud CLOUD.toml`: the coordinator. Ends by Ctrl-C or SIGTERM; exit 2, with one line why, when it cannot
start. Beside it what whoever sits at its machine may ask: `carry.py` and `terminal.py`.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from cloud import terminal
from cloud.config import CloudSettings, read_settings
from cloud.errors import CloudError
from host.folder import FolderError
from host.loopback import LoopbackOnlyError, PortTakenError

USAGE = """usage: python -m cloud CLOUD.toml                    run the coordinator
       python -m cloud enrol CLOUD.toml VAN          print a one-time token, good for 15 minutes
       python -m cloud revoke CLOUD.toml VAN         end a van's certificates, and its session
       python -m cloud admin CLOUD.toml NAME         make an administrator, or give one a new password
       python -m cloud backup CLOUD.toml FILE        also while it runs
       python -m cloud restore CLOUD.toml FILE
       python -m cloud export CLOUD.toml BUNDLE VAN
       python -m cloud import CLOUD.toml BUNDLE
       python -m cloud proof CLOUD.toml STOP_ID --out FILE   a stop's sealed proof, also while it runs
       python -m cloud proof CLOUD.toml STOP_ID --pdf FILE   ... as a page for the shipper
       python -m cloud verify FILE [--authority SHA256]      whether one holds; exit 0, 1, or 2: no bundle"""

PEOPLE: Mapping[str, Callable[[CloudSettings, str, terminal.Say], None]] = {
    "enrol": terminal.enrol,
    "revoke": terminal.revoke,
    "admin": terminal.make_administrator,
}


def main(arguments: list[str]) -> int:
    """The exit code."""
    say: terminal.Say = partial(print, flush=True)
    try:
        match arguments:
            case [command, file, name] if command in PEOPLE:
                PEOPLE[command](read_settings(Path(file)), name, say)
            case ["backup" | "restore" | "import" as command, file, target]:
                say(_carried(command, read_settings(Path(file)), Path(target)))
            case ["export", file, bundle, van]:
                say(_carried("export", read_settings(Path(file)), Path(bundle), van))
            case ["proof", file, stop_id, "--out" | "--pdf" as form, target]:
                from cloud.proving import run_page, run_proof  # noqa: PLC0415 - it brings in the database

                hand_out = run_proof if form == "--out" else run_page
                hand_out(read_settings(Path(file)), stop_id, Path(target), say)
            case ["verify", file, *rest] if not rest or (len(rest) == 2 and rest[0] == "--authority"):
                from cloud.proving import run_verify  # noqa: PLC0415

                return run_verify(Path(file), rest[1] if rest else None, say)
            case [file] if not file.startswith("-"):
                _log()
                asyncio.run(_run(read_settings(Path(file)), say))
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


def _carried(command: str, settings: CloudSettings, file: Path, van: str = "") -> str:
    """What a backup or a bundle did, in words."""
    from cloud.carry import run_backup, run_export, run_import, run_restore  # noqa: PLC0415 - it brings in the database

    _log()
    match command:
        case "backup":
            return run_backup(settings, file)
        case "restore":
            return run_restore(settings, file)
        case "import":
            return run_import(settings, file)
        case _:
            return run_export(settings, file, van)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


async def _run(settings: CloudSettings, say: terminal.Say) -> None:
    from cloud.app import run  # noqa: PLC0415 - the other commands need none of it and answer at once

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await run(settings, stopped, say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
