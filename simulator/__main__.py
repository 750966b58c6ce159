"""`python -m simulator`: what `scripts/demo` runs once everything is installed."""

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

from host.child import ChildError
from host.loopback import LoopbackOnlyError, PortTakenError
from roads.errors import RoadsError
from simulator import demo, scenario
from simulator.dispatcher import RefusedError
from simulator.driver import DriverStuckError
from simulator.fleet import NotUpError
from simulator.keys import NotLetInError
from simulator.orders import TooFewAddressesError
from simulator.ordersfile import OrdersFileError
from simulator.osmfile import MapFileError
from simulator.report import Report
from simulator.settle import settle
from simulator.stage import DISPATCHER, NoStageError, Stage
from simulator.town import require_buildable
from wire.geo import Place

FIRST_PORT = 8100
USABLE = (
    scenario.ScenarioError,
    ChildError,
    LoopbackOnlyError,
    PortTakenError,
    RoadsError,
    RefusedError,
    DriverStuckError,
    NotUpError,
    NotLetInError,
    TooFewAddressesError,
    OrdersFileError,
    MapFileError,
    NoStageError,
)
"""Errors whose text tells a person what to do."""


def main() -> int:
    options = _options()
    if options.report is not None and not options.report.absolute().parent.is_dir():
        print(f"demo: there is no folder for the report {options.report}", file=sys.stderr)
        return 2
    try:
        if options.settle is not None:
            return asyncio.run(settle(options.settle, lambda text: print(f"  {text}", flush=True)))
        wish = demo.Wish(
            scenario_name=options.scenario,
            scenario=scenario.read(options.scenario),
            seed=options.seed,
            map_file=options.map,
            centre=options.at,
            orders_file=options.orders,
            is_plain=options.plain_console,
            first_port=None if options.headless else options.port,
        )
        report = asyncio.run(_until_stopped(wish, options.headless))
    except (*USABLE, ExceptionGroup) as error:
        known, other = _sorted(error)
        if other is not None:
            raise other from error
        for problem in known:
            print(f"demo: {problem}", file=sys.stderr)
        return 2
    if report is None:
        return 0
    return _finish(report, options.report)


async def _until_stopped(wish: demo.Wish, is_headless: bool) -> Report | None:
    """None when Ctrl-C or TERM ended the run."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"  {time.monotonic() - started:6.1f} s  {text}", flush=True)

    def on_ready(stage: Stage) -> None:
        say("everything runs")
        print(f"\n  Console      {stage.console_url}/")
        if not stage.is_plain:
            print(f"               sign in as {DISPATCHER}, password {stage.password}")
            print("               The run is its own authority, which no browser knows, so the browser warns: choose")
            print(
                '               "Advanced", then to go on to the page. To see that it is ours, compare the fingerprint'
            )
            print(f"               in the warning's certificate (SHA-256): {stage.fingerprint()}")
            print("               Without HTTPS and sign-in, on this machine only: scripts/demo --plain-console")
        for van in stage.vans:
            print(f"  {van.name} cab    {van.page_url}/   ({van.driver})")
        print(f"  Files        {stage.folder}\n", flush=True)

    run = asyncio.ensure_future(demo.run(wish, say, on_ready, stays_open=not is_headless))
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, run.cancel)
    try:
        return await run
    except asyncio.CancelledError:
        print("  stopped", flush=True)
        return None


def _finish(report: Report, file: Path | None) -> int:
    if file is not None:
        demo.write(report, file)
    for complaint in report.complaints:
        print(f"  {complaint}")
    shortcomings = report.shortcomings()
    for reason in shortcomings:
        print(f"  NOT PASSED: {reason}")
    print(
        f"  {report.scenario}, seed {report.seed}: {report.saved_seen} saved seen, {report.lost} lost, "
        f"{report.doubled} doubled, {report.blob_mismatches} mismatches, "
        f"{report.windows_kept}/{report.windows_total} windows, {report.wall_s} s"
    )
    return 1 if shortcomings else 0


def _sorted(error: Exception) -> tuple[list[Exception], Exception | None]:
    """The errors inside that tell a person what to do, and, when there is any other, what must not be hidden."""
    if not isinstance(error, ExceptionGroup):
        return [error], None
    usable, other = error.split(USABLE)
    return _leaves(usable) if usable is not None else [], other


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    flat: list[Exception] = []
    for error in group.exceptions:
        flat += _leaves(error) if isinstance(error, ExceptionGroup) else [error]
    return flat


def _place(text: str) -> Place:
    """Where the town is to be. Refuses what is no place, and where no town can be."""
    lat_deg, _, lon_deg = text.partition(",")
    try:
        place = Place(lat_deg=float(lat_deg), lon_deg=float(lon_deg))
        require_buildable(place)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no place for a town: {error}") from error
    return place


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Vans deliver through a network outage.")
    parser.add_argument("--headless", action="store_true", help="without a person; ends by itself")
    parser.add_argument("--scenario", default="a_morning_with_the_network_gone", metavar="NAME")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="orders, drivers and receivers follow it")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was seen as JSON")
    parser.add_argument("--map", type=Path, metavar="FILE.osm.pbf", help="drive on a real extract")
    parser.add_argument("--at", type=_place, metavar="LAT,LON", help="put the made-up town there: --at=-34.9,-56.16")
    parser.add_argument("--orders", type=Path, metavar="FILE.csv", help="deliver these orders")
    parser.add_argument(
        "--settle", type=Path, metavar="FOLDER", help="start an ended run again on its disks, drive nobody, compare"
    )
    parser.add_argument(
        "--plain-console", action="store_true", help="the console without HTTPS and sign-in, on this machine only"
    )
    parser.add_argument("--port", type=int, default=FIRST_PORT, metavar="P", help="the console's; cab pages follow")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
