"""`python -m agent VAN.toml`: one van. Ends by Ctrl-C or SIGTERM; exit 2, with one line why, when it cannot start.
`export` and `import` carry a bundle on a stick (`carry.py`); `enrol` gets the van its certificate (`identity/`);
`sequence` solves one day in VROOM's JSON (`localroute/vroom.py`), for those who want to compare engines.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config import Settings, read_settings
from agent.errors import CarryError, ConfigError, DayError, EnrolmentError, StoreError
from agent.identity.badge import Badge
from agent.identity.enrol import enrol
from host.loopback import LoopbackOnlyError, PortTakenError

if TYPE_CHECKING:
    from agent.localroute.problem import Answer, Problem

USAGE = """usage: python -m agent VAN.toml                    run the van
       python -m agent enrol VAN.toml TOKEN URL   get its certificate; URL is the coordinator's, https://HOST:PORT
       python -m agent export VAN.toml BUNDLE     what waits for the coordinator, to a USB stick
       python -m agent import VAN.toml BUNDLE     manifest, conditions and receipts from there
       python -m agent sequence DAY.json SECONDS  the best order of a day in VROOM's JSON, found within that time"""

MOST_SEQUENCING_S = 3600.0


def main(arguments: list[str]) -> int:
    """The exit code."""
    os.umask(0o077)  # names, addresses and signatures are for nobody else on this machine
    try:
        match arguments:
            case ["enrol", file, token, url]:
                settings = read_settings(Path(file))
                enrol(Badge(settings.data_dir), settings.van, token, url)
                print(f"{settings.van}: enrolled; a running agent uses the certificate with its next connection")
            case ["export" | "import" as way, file, bundle]:
                print(asyncio.run(_carried(way, read_settings(Path(file)), Path(bundle))))
            case ["sequence", file, limit]:
                print(_sequenced(Path(file), limit))
            case [file] if not file.startswith("-"):
                logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
                asyncio.run(_run(read_settings(Path(file))))
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except (ConfigError, DayError, EnrolmentError, LoopbackOnlyError, PortTakenError, StoreError, CarryError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        print(f"agent: {said}", file=sys.stderr)
        return 2
    return 0


async def _carried(way: str, settings: Settings, bundle: Path) -> str:
    """What went to the stick, or came from it, in words."""
    from agent.carry import export, take  # noqa: PLC0415 - enrolment needs none of it and answers at once

    return await (export if way == "export" else take)(settings, bundle)


def _sequenced(file: Path, limit: str) -> str:
    """VROOM's output for a day in VROOM's input. Raises DayError."""
    from agent.localroute.vroom import VroomDay  # noqa: PLC0415 - enrolment needs none of it and answers at once

    try:
        day = VroomDay(file.read_bytes())
    except (OSError, DayError) as error:
        raise DayError(f"{file}: {error.strerror if isinstance(error, OSError) else error}") from error
    limit_s = float(limit) if limit.replace(".", "", 1).isdecimal() else 0.0
    if not 0 < limit_s <= MOST_SEQUENCING_S:
        raise DayError(f"{limit} is no time to search: say seconds, up to {MOST_SEQUENCING_S:g}")
    answer, why = asyncio.run(_searched(day.problem, limit_s))
    if why:
        print(f"agent: the order is repaired rather than searched: {why}", file=sys.stderr)
    return json.dumps(day.told(answer), indent=1)


async def _searched(problem: "Problem", limit_s: float) -> tuple["Answer", str]:
    from agent.localroute.worker import Solver  # noqa: PLC0415 - enrolment needs none of it and answers at once

    solver = Solver()
    try:
        await solver.start()
        return await solver.solve(problem, limit_s)
    finally:
        await solver.close()


async def _run(settings: Settings) -> None:
    from agent.app import App  # noqa: PLC0415 - enrolment needs none of it and answers at once

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await App(settings, lambda line: print(line, flush=True)).run(stopped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
