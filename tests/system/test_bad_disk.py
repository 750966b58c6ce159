"""A real agent on a file system that misbehaves: no inodes, read-only, frozen, writes that fail for a while."""

import asyncio
import os
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import Cab, begin_day
from tests.agent.pictures import a_photo
from tests.agent.test_kill import an_agent, check_that_nothing_is_half
from tests.builders import a_run, a_stop, with_proof
from wire.manifest import EvidenceKind

pytestmark = pytest.mark.system
INODES = 64


class Card:
    """An ext4 in a file, mounted by loop."""

    def __init__(self, home: Path) -> None:
        self.place = home / "card"
        self.place.mkdir()
        self._image = home / "card.img"
        with self._image.open("wb") as file:
            file.truncate(96 << 20)
        self._run("mkfs.ext4", "-qF", "-N", str(INODES), str(self._image))

    def mount(self) -> None:
        self._run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.place))

    def umount(self) -> None:
        self._run("umount", str(self.place))

    def freeze(self) -> None:
        self._run("fsfreeze", "-f", str(self.place))

    def thaw(self) -> None:
        self._run("fsfreeze", "-u", str(self.place))

    def become_read_only(self) -> None:
        """As ext4 does it by itself when the card gives it nonsense."""
        source = subprocess.run(["findmnt", "-no", "SOURCE", self.place], check=True, capture_output=True, text=True)
        Path(f"/sys/fs/ext4/{Path(source.stdout.strip()).name}/trigger_fs_error").write_text("as by a test")

    def repair(self) -> None:
        subprocess.run(["fsck.ext4", "-fy", self._image], check=False, capture_output=True)

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    try:
        card = Card(tmp_path)
        card.mount()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount")
    yield card
    subprocess.run(["umount", "-l", card.place], check=False, capture_output=True)  # lazily: a test may have failed


async def a_morning(folder: Path) -> None:
    stops = [a_stop(number, proof=with_proof(EvidenceKind.PHOTO)) for number in range(1, 5)]
    await begin_day(folder, a_run(stops))


async def deliver(cab: Cab, number: int) -> tuple[int, dict[str, Any]]:
    status, answer = await cab.evidence(
        f"s{number}", a_photo(640, 400 + number), kind="photo", tap_id=f"photo-{number}00"
    )
    if status != 200:
        return status, answer
    return await cab.tap(kind="delivered", tap_id=f"tap-0000{number}", stop_id=f"s{number}")


async def is_on_the_screen(cab: Cab, disk: str) -> None:
    async with asyncio.timeout(10):
        while (await cab.view())["disk"] != disk:  # noqa: ASYNC110  (what is waited for happens in another program)
            await asyncio.sleep(0.1)


async def test_a_card_without_inodes_takes_proofs_and_lets_the_van_start(card: Card) -> None:
    data = card.place / "van"
    await a_morning(data)
    async with an_agent(data) as (process, cab):
        assert (await deliver(cab, 1))[0] == 200
        use_up_inodes(card.place)
        assert (await deliver(cab, 2))[0] == 200
        process.kill()
        await process.wait()
    async with an_agent(data) as (_, cab):
        assert (await deliver(cab, 3))[0] == 200
        assert (await cab.view())["done"] == 3
    check_that_nothing_is_half(data, [])


def use_up_inodes(place: Path) -> None:
    number = 0
    while os.statvfs(place).f_ffree > 0:
        number += 1
        (place / f"someone-elses-{number}").touch()
    with pytest.raises(OSError, match="No space left"):
        (place / "one-more").touch()


async def test_a_card_that_turned_read_only_refuses_before_saved_and_goes_on_when_repaired(card: Card) -> None:
    data = card.place / "van"
    await a_morning(data)
    async with an_agent(data) as (process, cab):
        status, saved = await deliver(cab, 1)
        assert status == 200
        card.become_read_only()
        status, answer = await deliver(cab, 2)
        assert status in (503, 507)
        assert answer["message"].startswith("Not saved:")
        await is_on_the_screen(cab, "failing")
        assert (await cab.view())["done"] == 1
        process.kill()
        await process.wait()
    card.umount()
    card.repair()
    card.mount()
    async with an_agent(data) as (_, cab):
        assert (await cab.view())["done"] == 1
        assert (await deliver(cab, 1)) == (200, saved)
        assert (await deliver(cab, 2))[0] == 200
        assert (await cab.view())["disk"] == "well"
    check_that_nothing_is_half(data, [])


async def test_a_card_that_stalls_leaves_the_screen_alive_and_nothing_is_called_saved_meanwhile(card: Card) -> None:
    data = card.place / "van"
    await a_morning(data)
    async with an_agent(data) as (_, cab):
        assert (await deliver(cab, 1))[0] == 200
        card.freeze()
        try:
            tapping = asyncio.create_task(deliver(cab, 2))
            await is_on_the_screen(cab, "slow")
            slowest_s = 0.0
            for _ in range(20):
                began = time.monotonic()
                view = await cab.view()
                slowest_s = max(slowest_s, time.monotonic() - began)
                await asyncio.sleep(0.1)
            assert view["done"] == 1
            assert not tapping.done()
            assert slowest_s < 1.0
        finally:
            card.thaw()
        assert (await tapping)[0] == 200
        await is_on_the_screen(cab, "well")
        assert (await cab.view())["done"] == 2
    check_that_nothing_is_half(data, [])


async def test_writes_that_fail_for_a_while_are_never_called_saved_and_work_again_without_a_restart(
    tmp_path: Path,
) -> None:
    await a_morning(tmp_path)
    async with an_agent(tmp_path) as (process, cab):
        assert (await deliver(cab, 1))[0] == 200
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        for _ in range(3):
            status, answer = await deliver(cab, 2)
            assert status in (503, 507)
            assert answer["message"].startswith("Not saved:")
        await is_on_the_screen(cab, "failing")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        assert (await deliver(cab, 2))[0] == 200
        view = await cab.view()
        assert (view["done"], view["disk"]) == (2, "well")
    check_that_nothing_is_half(tmp_path, [])
