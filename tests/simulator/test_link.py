import asyncio

from simulator.link import Link


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(b"<" + data)
        await writer.drain()
    writer.close()


async def test_a_cut_link_is_silent_and_loses_nothing_of_an_open_connection() -> None:
    broker = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link("127.0.0.1", broker.sockets[0].getsockname()[1])
    await link.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"a")
    assert await reader.read(10) == b"<a"

    link.cut()
    writer.write(b"b")
    silent = asyncio.create_task(reader.read(10))
    done, _ = await asyncio.wait({silent}, timeout=0.1)
    assert not done
    link.heal()
    assert await silent == b"<b"

    writer.close()
    await link.close()
    broker.close()


async def test_a_new_connection_gets_no_answer_while_the_link_is_cut() -> None:
    broker = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link("127.0.0.1", broker.sockets[0].getsockname()[1])
    await link.open()
    link.cut()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(b"hello")
    answer = asyncio.create_task(reader.read(10))
    done, _ = await asyncio.wait({answer}, timeout=0.1)
    assert not done
    link.heal()
    assert await answer == b"<hello"
    writer.close()
    await link.close()
    broker.close()


def sealed(length: int) -> bytes:
    return b"\x17\x03\x03" + length.to_bytes(2) + bytes(length)


async def test_a_watcher_hears_of_a_receipt_once_and_before_the_van_does() -> None:
    async def broker_of_receipts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(sealed(21) + sealed(176))
            await writer.drain()
        writer.close()

    broker = await asyncio.start_server(broker_of_receipts, "127.0.0.1", 0)
    link = Link("127.0.0.1", broker.sockets[0].getsockname()[1])
    await link.open()
    heard: list[str] = []
    link.watch_receipts(lambda: heard.append("receipt"))
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    for heard_so_far in (0, 1, 1):
        writer.write(sealed(400))
        await reader.readexactly(26 + 181)
        assert len(heard) == heard_so_far
    writer.close()
    await link.close()
    broker.close()


async def test_when_the_broker_is_gone_the_van_is_disconnected() -> None:
    link = Link("127.0.0.1", 1)
    await link.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    assert await reader.read(10) == b""
    writer.close()
    await link.close()
