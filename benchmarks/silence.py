"""What is lost when the link goes silent with its sockets open, and the sender is killed while it does not know.

Both senders get the same: records in their storage, a relay to the broker that stops carrying bytes when a part has
come through, that long a silence, then kill -9. Lost is what neither the receiving side nor the storage holds then.
"""

import asyncio
import sqlite3
from typing import Any

from benchmarks import made
from benchmarks.peers import Gateway, Receiver, plain_broker
from benchmarks.stand import LOOPBACK, Stand, stand
from benchmarks.van import van_up
from simulator.link import Link

SILENT_S = 35.0
CUT_AFTER_SHARE = 0.15
LOOK_S = 0.01
GIVE_UP_S = 60.0


async def ours(records: int) -> dict[str, Any]:
    async with stand("silence", 1) as (place, _dispatcher):
        link = Link(LOOPBACK, place.broker_port)
        await link.open()
        async with van_up(place.write_van("van-1", broker_port=link.port)) as van:
            _, stop_ids = made.orders(place.day, max(1, records // 6))
            await van.ask(do="fill", stop_ids=stop_ids, count=records)
            draining = asyncio.create_task(van.ask(do="drain"))
            await _until(lambda: place.stored()["events"] >= CUT_AFTER_SHARE * records)
            link.cut()
            await asyncio.sleep(SILENT_S)
            van.process.kill()
            await asyncio.gather(draining, return_exceptions=True)
        await link.close()
        stored, left = _seqs_stored(place), _seqs_left(place)
    return _row("roundsman", records, stored, left)


async def the_peers(records: int) -> dict[str, Any]:
    gateway = Gateway("peer")
    await asyncio.to_thread(gateway.fill, records)
    async with plain_broker("peer-broker") as port:
        receiver = Receiver(port)
        listening = asyncio.create_task(receiver.listen())
        await receiver.up()
        link = Link(LOOPBACK, port)
        await link.open()
        gateway.start(link.port)
        try:
            await _until(lambda: len(receiver.numbers) >= CUT_AFTER_SHARE * records)
            link.cut()
            await asyncio.sleep(SILENT_S)
        finally:
            gateway.kill()
            await link.close()
            await receiver.close()
            await listening
    return _row("thingsboard-gateway", records, receiver.numbers, gateway.left())


async def peers_rate(records: int) -> dict[str, Any]:
    """From the first message at the receiver to the last; the gateway's own start is not counted."""
    gateway = Gateway("peer")
    await asyncio.to_thread(gateway.fill, records)
    async with plain_broker("peer-broker") as port:
        receiver = Receiver(port)
        listening = asyncio.create_task(receiver.listen())
        await receiver.up()
        gateway.start(port)
        try:
            await _until(lambda: len(receiver.numbers) >= records)
        finally:
            gateway.kill()
            await receiver.close()
            await listening
    took_s = receiver.last_s - receiver.first_s
    return {
        "who": "thingsboard-gateway",
        "records": records,
        "seconds": round(took_s, 3),
        "records_per_s": round(records / took_s),
        "bytes_per_record": round(receiver.payload_bytes / records, 1),
        "doubled": receiver.records - records,
    }


def _row(who: str, records: int, arrived: set[int], left: set[int]) -> dict[str, Any]:
    return {
        "who": who,
        "case": f"silent for {SILENT_S:g} s, then killed",
        "records": records,
        "arrived": len(arrived),
        "left_in_storage": len(left),
        "lost": records - len(arrived | left),
    }


async def _until(is_so: Any) -> None:
    async with asyncio.timeout(GIVE_UP_S):
        while not is_so():  # noqa: ASYNC110 - what it asks about lives in a database
            await asyncio.sleep(LOOK_S)


def _seqs_stored(place: Stand) -> set[int]:
    with sqlite3.connect(f"file:{place.cloud_dir / 'cloud.db'}?mode=ro", uri=True, timeout=5) as database:
        found = {int(seq) for (seq,) in database.execute("SELECT seq FROM records")}
    database.close()
    return found


def _seqs_left(place: Stand) -> set[int]:
    with sqlite3.connect(place.van_dir("van-1") / "van.sqlite") as database:
        sql = "SELECT seq FROM outbox WHERE lane = 'events' AND receipted_ms IS NULL"
        found = {int(seq) for (seq,) in database.execute(sql)}
    database.close()
    return found
