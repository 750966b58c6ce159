"""The one file that knows gpsd: its JSON over TCP in, our own raw values out. It judges nothing and invents nothing.

gpsd repeats what the receiver last said and calls it a 3D fix for ever, so silence is reported here as a value of its
own and staleness is judged in `quality.py`. A connection that ends, a gpsd that is not there and a gpsd that hangs are
ordinary; the client says so once a second and tries again after 1, 2, 4 ... 30 s. These are seconds of the event loop:
they never run fast in a simulation.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import Any

WATCH = b'?WATCH={"enable":true,"json":true};\n'
TICK_S = 1.0
"""How often silence is reported while it lasts."""
CONNECT_TIMEOUT_S = 5.0
HUNG_AFTER_S = 15.0
"""A connection this quiet may be to a gpsd that hangs; a new one costs nothing when it is only the receiver."""
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 30.0
MAX_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class RawFix:
    """One TPV as gpsd sent it; None where it sent nothing. Numbers are unchecked and may be NaN."""

    time: datetime
    mode: int
    lat_deg: float | None = None
    lon_deg: float | None = None
    speed_mps: float | None = None
    track_deg: float | None = None
    eph_m: float | None = None


class Quiet(StrEnum):
    """Why nothing is heard."""

    NO_DAEMON = "gpsd does not answer at this address"
    CLOSED = "gpsd closed the connection"
    SILENT = "gpsd is connected and says nothing"
    BLIND = "gpsd hears a receiver that has no fix"


@dataclass(frozen=True, slots=True)
class Silence:
    """No TPV for a tick; comes again each second while it lasts."""

    why: Quiet


class GpsdReceiver:
    """A client of one gpsd that never gives up."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tick_s: float = TICK_S,
        hung_after_s: float = HUNG_AFTER_S,
        first_retry_s: float = FIRST_RETRY_S,
        longest_retry_s: float = LONGEST_RETRY_S,
    ) -> None:
        self._host = host
        self._port = port
        self._tick_s = tick_s
        self._hung_after_s = hung_after_s
        self._first_retry_s = first_retry_s
        self._longest_retry_s = longest_retry_s

    async def fixes(self) -> AsyncGenerator[RawFix | Silence]:
        """Every fix gpsd reports, and a Silence each second without one; endless, ends with its task.

        Closing the generator (`contextlib.aclosing`) closes the connection.
        """
        retry_s = self._first_retry_s
        while True:
            why = Quiet.NO_DAEMON
            async with contextlib.aclosing(self._one_connection()) as connection:
                async for heard in connection:
                    if isinstance(heard, RawFix):
                        retry_s = self._first_retry_s
                    else:
                        why = heard.why
                    yield heard
            waited_s = 0.0
            while waited_s < retry_s:
                pause_s = min(self._tick_s, retry_s - waited_s)
                await asyncio.sleep(pause_s)
                waited_s += pause_s
                yield Silence(why)
            retry_s = min(2 * retry_s, self._longest_retry_s)

    async def _one_connection(self) -> AsyncGenerator[RawFix | Silence]:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=MAX_LINE_BYTES)
        except OSError:  # a TimeoutError is one too
            yield Silence(Quiet.NO_DAEMON)
            return
        try:
            writer.write(WATCH)
            async with contextlib.aclosing(self._lines(reader)) as lines:
                async for heard in lines:
                    yield heard
        finally:
            # gpsd serves a limited number of clients; a socket left open here would use them up.
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _lines(self, reader: asyncio.StreamReader) -> AsyncGenerator[RawFix | Silence]:
        quiet_s, told_at = 0.0, monotonic()
        while quiet_s < self._hung_after_s:
            try:
                async with asyncio.timeout(self._tick_s):
                    line = await reader.readline()
            except TimeoutError:
                quiet_s, told_at = quiet_s + self._tick_s, monotonic()
                yield Silence(Quiet.SILENT)
                continue
            except (OSError, ValueError):  # reset by the other side, or a line without end
                yield Silence(Quiet.CLOSED)
                return
            if not line:
                yield Silence(Quiet.CLOSED)
                return
            quiet_s = 0.0
            fix = parse_tpv(line)
            if fix is not None:
                told_at = monotonic()
                yield fix
            elif monotonic() - told_at >= self._tick_s:
                # Lines that are no fix must not keep the last position fresh.
                told_at = monotonic()
                yield Silence(Quiet.BLIND)


def parse_tpv(line: bytes) -> RawFix | None:
    """The fix in one line of gpsd; None when the line is something else, is damaged, or has no time.

    A TPV without time is gpsd still learning where the receiver's cycle ends: it repeats old or half values.
    """
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict) or report.get("class") != "TPV":
        return None
    at = _instant(report.get("time"))
    mode = report.get("mode")
    if at is None or not isinstance(mode, int):
        return None
    return RawFix(
        time=at,
        mode=mode,
        lat_deg=_number(report, "lat"),
        lon_deg=_number(report, "lon"),
        speed_mps=_number(report, "speed"),
        track_deg=_number(report, "track"),
        eph_m=_number(report, "eph"),
    )


def _number(report: dict[str, Any], key: str) -> float | None:
    value = report.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _instant(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
