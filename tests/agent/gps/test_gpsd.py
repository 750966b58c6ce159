import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gps.gpsd import MAX_LINE_BYTES, WATCH, GpsdReceiver, Quiet, RawFix, Silence, parse_tpv
from host.loopback import free_port

TPV = {
    "class": "TPV",
    "device": "udp://127.0.0.1:5555",
    "mode": 3,
    "time": "2026-11-23T08:00:00.000Z",
    "lat": 41.15,
    "lon": -8.61,
    "eph": 4.5,
    "speed": 12.3,
    "track": 271.5,
}
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def line(**changes: object) -> bytes:
    """A TPV line with these fields changed; None leaves one out."""
    return json.dumps({key: value for key, value in {**TPV, **changes}.items() if value is not None}).encode() + b"\n"


def test_a_tpv_becomes_a_fix_of_our_own() -> None:
    assert parse_tpv(line()) == RawFix(
        time=datetime(2026, 11, 23, 8, tzinfo=UTC),
        mode=3,
        lat_deg=41.15,
        lon_deg=-8.61,
        speed_mps=12.3,
        track_deg=271.5,
        eph_m=4.5,
    )


def test_what_gpsd_leaves_out_is_not_made_up() -> None:
    fix = parse_tpv(line(track=None, speed=None, lat="41", lon=True))
    assert fix is not None
    assert (fix.track_deg, fix.speed_mps, fix.lat_deg, fix.lon_deg) == (None, None, None, None)


@pytest.mark.parametrize(
    "nonsense",
    [
        line(time=None),
        line(time="yesterday"),
        line(time="2026-11-23T08:00:00"),
        line(time="0001-01-01T00:00:00+23:00"),
        line(mode="3"),
        b'{"class":"SKY","satellites":[]}\n',
        b'{"class":"TPV","mode":3,"ti',
        b"[" * 100_000,
        b"\xff\xfe\n",
        b"3\n",
        b"\n",
    ],
    ids=range(11),
)
def test_a_line_that_is_no_fix_with_a_time_is_passed_over(nonsense: bytes) -> None:
    assert parse_tpv(nonsense) is None


@given(
    st.binary() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda one: json.dumps(one).encode())
)
def test_no_line_of_bytes_breaks_the_reader(noise: bytes) -> None:
    parse_tpv(noise)
    parse_tpv(line().replace(b"41.15", noise))


def test_a_number_too_large_for_anything_is_left_out() -> None:
    fix = parse_tpv(line().replace(b"41.15", b"1" + b"0" * 400))
    assert fix is not None
    assert fix.lat_deg is None


@contextlib.asynccontextmanager
async def a_gpsd(serve: Serve) -> AsyncGenerator[int]:
    """Something on a free port that answers each client with `serve`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readline() == WATCH
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def hear(port: int, count: int, hung_after_s: float = 1.0) -> list[RawFix | Silence]:
    """The first things a receiver says, its seconds made short."""
    receiver = GpsdReceiver(
        "127.0.0.1", port, tick_s=0.02, hung_after_s=hung_after_s, first_retry_s=0.04, longest_retry_s=0.08
    )
    heard: list[RawFix | Silence] = []
    async with asyncio.timeout(10), contextlib.aclosing(receiver.fixes()) as fixes:
        async for one in fixes:
            heard.append(one)
            if len(heard) == count:
                break
    return heard


async def test_fixes_are_heard_between_lines_that_are_none() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"class":"VERSION","release":"3.22"}\nnonsense\n' + line() + line(time=None) + line(mode=1))
        await reader.read()

    async with a_gpsd(serve) as port:
        heard = await hear(port, 2)
    assert [one.mode for one in heard if isinstance(one, RawFix)] == [3, 1]


async def test_a_gpsd_that_is_not_there_is_silence_and_is_tried_again() -> None:
    assert await hear(free_port(), 5) == [Silence(Quiet.NO_DAEMON)] * 5


async def test_silence_is_said_again_and_again() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with a_gpsd(serve) as port:
        assert await hear(port, 4) == [Silence(Quiet.SILENT)] * 4


async def test_a_hung_gpsd_is_left_and_connected_to_anew() -> None:
    clients = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal clients
        clients += 1
        await reader.read()

    async with a_gpsd(serve) as port:
        await hear(port, 12, hung_after_s=0.06)
    assert clients >= 2


@pytest.mark.parametrize("ending", [b"", b'{"class":"TPV"' + b" " * 3 * MAX_LINE_BYTES], ids=["closed", "endless line"])
async def test_a_connection_that_ends_is_silence_and_is_made_anew(ending: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line() + ending)
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    async with a_gpsd(serve) as port:
        heard = await hear(port, 5)
    assert [type(one) for one in heard] == [RawFix, Silence, Silence, Silence, RawFix]
    assert heard[1:4] == [Silence(Quiet.CLOSED)] * 3


async def test_lines_that_are_no_fix_do_not_keep_the_last_position_fresh() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line())
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(line(time=None, mode=1))
                await writer.drain()
                await asyncio.sleep(0.005)

    async with a_gpsd(serve) as port:
        heard = await hear(port, 12)
    assert Silence(Quiet.BLIND) in heard
    assert not [one for one in heard[1:] if isinstance(one, RawFix)]
