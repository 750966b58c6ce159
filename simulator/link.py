"""A van's mobile network: a TCP relay to the broker that can go silent as radio does, with every socket left open."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from simulator.records import Conversation

READ_BYTES = 16_384


class Link:
    """One van's way to the broker. While cut, bytes wait and new connections get no answer; nobody is told."""

    def __init__(self, broker_host: str, broker_port: int) -> None:
        self._broker = (broker_host, broker_port)
        self._clear = asyncio.Event()
        self._clear.set()
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self._watched: Callable[[], None] | None = None
        self.port = 0

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on loopback; `port` is known afterwards."""
        self._server = await asyncio.start_server(self._carry, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._clear.clear()

    def heal(self) -> None:
        self._clear.set()

    def watch_receipts(self, seen: Callable[[], None]) -> None:
        """Call `seen` once, before the next receipt goes on to the van."""
        self._watched = seen

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for pump in tuple(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _carry(self, van_in: asyncio.StreamReader, van_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
        broker_out: asyncio.StreamWriter | None = None
        try:
            await self._clear.wait()
            broker_in, broker_out = await asyncio.open_connection(*self._broker)
            conversation = Conversation()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(van_in, broker_out, conversation.upward))
                both.create_task(self._pump(broker_in, van_out, partial(self._look_down, conversation)))
        except* (OSError, EOFError):
            pass  # one side has gone; the other learns it by the close below, as it would from the network
        finally:
            for writer in (van_out, broker_out):
                if writer is not None:
                    with contextlib.suppress(OSError):
                        writer.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, look: Callable[[bytes], None]
    ) -> None:
        while True:
            data = await source.read(READ_BYTES)
            await self._clear.wait()
            if not data:
                raise EOFError
            look(data)
            sink.write(data)
            await sink.drain()

    def _look_down(self, conversation: Conversation, data: bytes) -> None:
        if conversation.downward(data) and self._watched is not None:
            seen, self._watched = self._watched, None
            seen()
