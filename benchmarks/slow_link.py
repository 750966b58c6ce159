"""A mobile network that is there and thin: a TCP relay with a rate and a delay in each direction."""

import asyncio
import contextlib
from dataclasses import dataclass, field

READ_BYTES = 1_440
QUEUE_BYTES = 16_384
"""What the network itself holds back in each direction; beyond it the sender is made to wait."""


@dataclass
class SlowLink:
    """Open it, then `begin`; until then connections are taken and get no answer, as in a dead spot."""

    broker_host: str
    broker_port: int
    bits_per_s: float
    delay_s: float
    carried_bytes: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})

    async def open(self, host: str) -> int:
        """The port it listens on."""
        self._clear = asyncio.Event()
        self._server = await asyncio.start_server(self._carry, host, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def begin(self) -> None:
        self._clear.set()

    async def close(self) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, van_in: asyncio.StreamReader, van_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        broker_out: asyncio.StreamWriter | None = None
        try:
            await self._clear.wait()
            broker_in, broker_out = await asyncio.open_connection(self.broker_host, self.broker_port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(van_in, broker_out, "up"))
                both.create_task(self._pump(broker_in, van_out, "down"))
        except* (OSError, EOFError):
            pass  # one side has gone; the other learns it by the close below
        finally:
            for writer in (van_out, broker_out):
                if writer is not None:
                    with contextlib.suppress(OSError):
                        writer.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: str) -> None:
        loop = asyncio.get_running_loop()
        flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        landing = asyncio.create_task(_land(flying, sink))
        free_at_s = loop.time()
        try:
            while data := await source.read(READ_BYTES):
                free_at_s = max(free_at_s, loop.time()) + 8 * len(data) / self.bits_per_s
                self.carried_bytes[way] += len(data)
                flying.put_nowait((free_at_s + self.delay_s, data))
                ahead_s = free_at_s - loop.time() - 8 * QUEUE_BYTES / self.bits_per_s
                if ahead_s > 0:
                    await asyncio.sleep(ahead_s)
            raise EOFError
        finally:
            landing.cancel()


async def _land(flying: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        lands_at_s, data = await flying.get()
        if (wait_s := lands_at_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        sink.write(data)
        await sink.drain()
