"""What is made of the library's answers; how it fares with a real gpsd is in `tests/system/test_gpsd.py`."""

import asyncio
import contextlib
import socket
import threading
from datetime import UTC, datetime
from typing import Any

import gpsd

from agent.gps.gpsd import Quiet, RawFix, Silence
from agent.gps.gpsd_py3 import GpsdPy3Receiver, read_response
from host.loopback import free_port

TPV = {
    "mode": 3,
    "time": "2026-11-23T08:00:00.000Z",
    "lat": 41.15,
    "lon": -8.61,
    "epx": 3.0,
    "epy": 4.0,
    "eps": 25.7,
    "speed": 12.3,
    "track": 271.5,
}


def answer(**changes: Any) -> gpsd.GpsResponse:
    """The library's reading of a poll with these fields changed; None leaves one out."""
    tpv = {key: value for key, value in {**TPV, **changes}.items() if value is not None}
    return gpsd.GpsResponse.from_json({"active": 1, "tpv": [tpv], "sky": [{}]})


def test_an_answer_becomes_a_fix_of_our_own() -> None:
    assert read_response(answer()) == RawFix(datetime(2026, 11, 23, 8, tzinfo=UTC), 3, 41.15, -8.61, 12.3, 271.5, 5.0)


def test_the_zeros_that_the_library_puts_for_nothing_are_nothing() -> None:
    fix = read_response(answer(speed=None, track=None, epx=None, epy=None))
    assert fix is not None
    assert (fix.speed_mps, fix.track_deg, fix.eph_m) == (None, None, None)


def test_a_true_zero_stays_one() -> None:
    fix = read_response(answer(speed=0.0, track=0.0))
    assert fix is not None
    assert (fix.speed_mps, fix.track_deg) == (0.0, 0.0)


def test_an_answer_without_a_time_is_no_fix() -> None:
    assert read_response(answer(time=None)) is None
    assert read_response(answer(time="soon")) is None
    assert read_response(answer(mode=1)) is None


def test_a_place_that_is_missing_is_a_zero_that_nobody_can_tell_from_a_true_one() -> None:
    """A row that the library cannot pass: our own client says None. The judge refuses it as a jump, or as 0,0."""
    fix = read_response(answer(lat=None))
    assert fix is not None
    assert fix.lat_deg == 0.0


async def hear(port: int, count: int, hung_after_s: float = 0.2) -> list[RawFix | Silence]:
    receiver = GpsdPy3Receiver(
        "127.0.0.1", port, tick_s=0.02, poll_every_s=0.01, hung_after_s=hung_after_s, first_retry_s=0.02
    )
    heard: list[RawFix | Silence] = []
    async with asyncio.timeout(20), contextlib.aclosing(receiver.fixes()) as fixes:
        async for one in fixes:
            heard.append(one)
            if len(heard) == count:
                break
    return heard


async def test_a_gpsd_that_is_not_there_is_silence_and_is_tried_again() -> None:
    assert await hear(free_port(), 5) == [Silence(Quiet.NO_DAEMON)] * 5


async def test_a_thread_that_hangs_in_the_library_is_freed_and_tries_again() -> None:
    """The kernel takes the connection of a gpsd that is stopped: the library waits for a greeting without limit."""
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen(50)
        hung.settimeout(5)
        silences = await hear(hung.getsockname()[1], 60)
        assert silences[-1] in (Silence(Quiet.SILENT), Silence(Quiet.CLOSED))
        for _ in range(2):
            hung.accept()[0].close()


async def test_no_thread_stays_behind() -> None:
    await hear(free_port(), 2)
    assert not [thread for thread in threading.enumerate() if thread.name == "gpsd-py3" and thread.is_alive()]
