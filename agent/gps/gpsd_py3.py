"""gpsd-py3 as a source, for those who have it already: `source = "gpsd-py3"` under `[gpsd]` of VAN.toml.

The library keeps one socket for the whole process, waits without limit and fills in 0 for what is missing. So it lives
in one thread of its own, under supervision: every exception ends the connection and begins another after 1, 2, 4 ...
30 s; the old socket is closed each time; and when the thread does not come back from the library, the socket is shut
under it. What it makes up is undone where that can be seen: gpsd writes numbers with a point, so a whole 0 is the
library's own. What cannot be undone is listed in `docs/gps.md`.
"""

import asyncio
import contextlib
import math
import threading
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Any

from agent.gps.gpsd import FIRST_RETRY_S, LONGEST_RETRY_S, TICK_S, Quiet, RawFix, Silence

POLL_EVERY_S = 0.5
ANSWER_WITHIN_S = 2.0
HUNG_AFTER_S = 10.0
"""Connecting alone takes more than 5 s while the receiver is silent: gpsd tries speeds before it answers."""


class GpsdPy3Receiver:
    """A client of one gpsd that never gives up. One at a time in a process: the library knows only one."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tick_s: float = TICK_S,
        poll_every_s: float = POLL_EVERY_S,
        hung_after_s: float = HUNG_AFTER_S,
        first_retry_s: float = FIRST_RETRY_S,
        longest_retry_s: float = LONGEST_RETRY_S,
    ) -> None:
        self._host = host
        self._port = port
        self._tick_s = tick_s
        self._poll_every_s = poll_every_s
        self._hung_after_s = hung_after_s
        self._first_retry_s = first_retry_s
        self._longest_retry_s = longest_retry_s

    async def fixes(self) -> AsyncGenerator[RawFix | Silence]:
        """Every new fix the library tells, and a Silence each second without one; endless, ends with its task."""
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[RawFix | Quiet | None] = asyncio.Queue()

        def tell(one: RawFix | Quiet | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(heard.put_nowait, one)

        poller = _Poller(self._host, self._port, self._poll_every_s, (self._first_retry_s, self._longest_retry_s), tell)
        thread = threading.Thread(target=poller.run, name="gpsd-py3", daemon=True)
        thread.start()
        why, alive_at, spoke_at = Quiet.NO_DAEMON, loop.time(), loop.time()
        try:
            while True:
                one: RawFix | Quiet | None = None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._tick_s):
                        one = await heard.get()
                        alive_at = loop.time()
                if isinstance(one, RawFix):
                    spoke_at = loop.time()
                    yield one
                    continue
                why = one or why
                if loop.time() - alive_at > self._hung_after_s:
                    why = Quiet.SILENT if poller.cut() else why
                    alive_at = loop.time()
                if loop.time() - spoke_at >= self._tick_s:
                    spoke_at = loop.time()
                    yield Silence(why)
        finally:
            poller.stop()
            # Not waited for in the loop: it may be on its way out of a library that takes its time.
            await asyncio.to_thread(thread.join, ANSWER_WITHIN_S)


class _Poller:
    """The thread: connects, polls, and begins again after whatever goes wrong."""

    def __init__(
        self,
        host: str,
        port: int,
        poll_every_s: float,
        retry_s: tuple[float, float],
        tell: Callable[[RawFix | Quiet | None], None],
    ) -> None:
        self._host = host
        self._port = port
        self._poll_every_s = poll_every_s
        self._retry_s = retry_s
        self._tell = tell
        self._stopped = threading.Event()

    def run(self) -> None:
        import gpsd  # noqa: PLC0415 - only where it was chosen

        self._gpsd = gpsd
        retry_s = self._retry_s[0]
        while not self._stopped.is_set():
            try:
                gpsd.connect(self._host, self._port)
                gpsd.gpsd_socket.settimeout(ANSWER_WITHIN_S)
                self._poll()
                retry_s = self._retry_s[0]
            except ConnectionRefusedError:
                self._tell(Quiet.NO_DAEMON)
            except Exception:
                self._tell(Quiet.CLOSED)
            self._close()
            self._stopped.wait(retry_s)
            retry_s = min(2 * retry_s, self._retry_s[1])

    def stop(self) -> None:
        self._stopped.set()
        self.cut()

    def cut(self) -> bool:
        """Ends what the thread waits for, from outside: nothing else can. False when it waits for no socket."""
        gpsd_socket = getattr(getattr(self, "_gpsd", None), "gpsd_socket", None)
        if gpsd_socket is None:
            return False
        with contextlib.suppress(OSError):
            gpsd_socket.shutdown(2)  # both ways
        return True

    def _poll(self) -> None:
        newest: datetime | None = None
        while not self._stopped.is_set():
            try:
                fix = read_response(self._gpsd.get_current())
            except (UserWarning, IndexError):  # nothing yet from the receiver, or no satellites: an answer all the same
                fix = None
            if fix is not None and fix.time != newest:
                newest = fix.time
                self._tell(fix)
            else:
                self._tell(Quiet.SILENT)
            self._stopped.wait(self._poll_every_s)

    def _close(self) -> None:
        """The library leaks its socket: gpsd serves a limited number of clients."""
        self.cut()
        for name in ("gpsd_stream", "gpsd_socket"):
            with contextlib.suppress(Exception):
                getattr(self._gpsd, name).close()
            setattr(self._gpsd, name, None)


def read_response(response: Any) -> RawFix | None:
    """A fix from the library's answer; None while it has no time. A whole 0 is what the library put for nothing."""
    try:
        time = datetime.fromisoformat(response.time)
    except (TypeError, ValueError):
        return None
    if time.tzinfo is None:
        return None
    error = response.error if isinstance(response.error, dict) else {}
    errors = [value for value in (error.get("x"), error.get("y")) if isinstance(value, float)]
    return RawFix(
        time=time.astimezone(UTC),
        mode=response.mode,
        lat_deg=_said(response.lat),
        lon_deg=_said(response.lon),
        speed_mps=_said(response.hspeed),  # `speed()` says 0 wherever the error is larger
        track_deg=_said(response.track),
        eph_m=math.hypot(*errors) if errors else None,
    )


def _said(value: Any) -> float | None:
    return value if isinstance(value, float) else None
