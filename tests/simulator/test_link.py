import asyncio

from simulator.link import Link, _is_sealed


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


async def test_a_watcher_hears_of_a_mark_once_and_before_the_van_does() -> None:
    broker = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link("127.0.0.1", broker.sockets[0].getsockname()[1])
    await link.open()
    heard: list[str] = []
    link.watch_downward(b"<receipt", lambda: heard.append("receipt"))
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    for word in (b"other", b"receipt", b"receipt"):
        writer.write(word)
        await reader.read(10)
    assert heard == ["receipt"]
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


def test_under_tls_a_message_is_told_from_an_acknowledgement_by_its_length() -> None:
    acknowledgement, receipt = (b"\x17\x03\x03" + n.to_bytes(2) + bytes(n) for n in (24, 180))
    assert not _is_sealed(acknowledgement)
    assert _is_sealed(receipt)
    assert not _is_sealed(b"")
