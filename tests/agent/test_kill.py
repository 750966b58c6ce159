"""kill -9 of a real agent while evidence is being posted: afterwards it is saved or it is not, and never half."""

import asyncio
import hashlib
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from host.loopback import free_port
from tests.agent.conftest import Cab, begin_day
from tests.agent.pictures import a_photo
from tests.builders import a_run, a_stop, with_proof
from wire.manifest import EvidenceKind

pytestmark = pytest.mark.system
TIMES = 10
CHECKOUT = Path(__file__).parents[2]


@asynccontextmanager
async def an_agent(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Cab]]:
    """`python -m agent`, alone in the world."""
    config = folder / "VAN.toml"
    config.write_text(
        f'van = "van-1"\nfleet = "town"\ndata_dir = "{folder}"\n'
        f"[gpsd]\nport = {free_port()}\n[broker]\ntls = false\nport = {free_port()}\n[screen]\nport = 0\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", str(config), cwd=CHECKOUT, stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode().strip()
        assert line.startswith("van-1: cab page on "), line
        async with aiohttp.ClientSession() as http:
            yield process, Cab(line.rpartition(" ")[2], http)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def post_until_killed(folder: Path, photo: bytes, tap_id: str, kill_after_s: float) -> dict[str, object] | None:
    """The answer the driver saw, if any came before the kill."""
    async with an_agent(folder) as (process, cab):
        posting = asyncio.create_task(cab.evidence("s1", photo, kind="photo", tap_id=tap_id))
        await asyncio.sleep(kill_after_s)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        with suppress(aiohttp.ClientError):
            status, answer = await posting
            return answer if status == 200 else None
    return None


async def test_evidence_is_saved_or_not_and_never_half(tmp_path: Path) -> None:
    await begin_day(tmp_path, a_run([a_stop(1, proof=with_proof(EvidenceKind.PHOTO))]))
    seen: list[dict[str, object]] = []
    for number in range(TIMES):
        photo = a_photo(1600, 1200 + number)
        answer = await post_until_killed(tmp_path, photo, f"tap-000{number:02}", kill_after_s=0.03 * number)
        seen += [answer] if answer is not None else []
        check_that_nothing_is_half(tmp_path, seen)
    last = a_photo(1600, 1199 + TIMES)
    async with an_agent(tmp_path) as (process, cab):
        # The tap whose answer got lost is sent again: the same evidence, once.
        status, answer = await cab.evidence("s1", last, kind="photo", tap_id=f"tap-000{TIMES - 1:02}")
        assert status == 200
        again = await cab.evidence("s1", last, kind="photo", tap_id=f"tap-000{TIMES - 1:02}")
        assert again == (200, answer)
        async with cab.http.get(f"{cab.url}/api/evidence/{answer['sha256']}") as kept:
            assert hashlib.sha256(await kept.read()).hexdigest() == answer["sha256"]
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert not (tmp_path / "run" / "agent.pid").exists()
    check_that_nothing_is_half(tmp_path, [*seen, answer])


def check_that_nothing_is_half(folder: Path, seen: list[dict[str, object]]) -> None:
    """Taps, bytes and outbox rows tell the same story, and all that the driver saw as saved is in it."""
    database = sqlite3.connect(folder / "van.sqlite")
    try:
        hashes = [
            row[0]
            for row in database.execute(
                "SELECT json_extract(body, '$.evidence.sha256') FROM taps JOIN inputs USING (input_id) "
                "WHERE kind = 'evidence_taken'"
            )
        ]
        said = [
            row[0]
            for row in database.execute(
                "SELECT json_extract(record, '$.body.sha256') FROM outbox "
                "WHERE json_extract(record, '$.kind') = 'proof.captured'"
            )
        ]
        blobs = {
            name: hashlib.sha256(data).hexdigest()
            for name, data in database.execute("SELECT sha256, bytes FROM blobs LEFT JOIN blob_bytes USING (sha256)")
        }
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        database.close()
    assert sorted(hashes) == sorted(said) == sorted(blobs)
    assert all(name == content for name, content in blobs.items())
    assert {answer["sha256"] for answer in seen} <= set(hashes)
