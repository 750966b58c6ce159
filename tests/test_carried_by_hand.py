"""A day without any network: the manifest down and the outbox up on a USB stick. And a database put back from a backup:
the vans fill in what it does not know.
"""

import asyncio
import hashlib
import time
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

import agent.__main__ as van_program
import cloud.__main__ as cloud_program
from agent.store.blobs import NewBlob
from agent.store.store import Step, Store
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.receipts import receipts_for
from cloud.ingest.unpack import unpack
from cloud.store.blobs import whole_blob
from cloud.store.database import open_database
from cloud.store.manifests import save_manifest
from cloud.store.tables import breadcrumbs, forks, parked, records
from tests.builders import MORNING, a_manifest
from wire import topics
from wire.codec import encode
from wire.envelope import Receipts, Record
from wire.events import EventKind, Presence
from wire.manifest import EvidenceKind
from wire.track import Breadcrumb

PHOTO = bytes(range(256)) * 200
PHOTO_SHA = hashlib.sha256(PHOTO).hexdigest()
AT_MS = round(MORNING.timestamp() * 1000)


class Fleet:
    """One coordinator and one van, both stopped, and a stick to carry between them."""

    def __init__(self, home: Path) -> None:
        self.van, self.cloud, self.stick = home / "van", home / "cloud", home / "stick"
        self.stick.mkdir()
        clock = '[clock]\norigin = "2026-11-23T08:00:00Z"\nsystem_origin_s = 4000000000\n'.replace("4000000000", _now())
        self.van_toml, self.cloud_toml = home / "VAN.toml", home / "CLOUD.toml"
        self.van_toml.write_text(f'van = "van-1"\nfleet = "town"\ndata_dir = "{self.van}"\n{clock}')
        self.cloud_toml.write_text(
            f'fleet = "town"\ndata_dir = "{self.cloud}"\ntimezone = "Europe/Lisbon"\n{clock}'
            "[depot]\nlat_deg = 41.15\nlon_deg = -8.61\n"
            '[[vans]]\nname = "van-1"\ndriver = "I"\ncapacity_parcels = 80\n'
            'shift_starts = "08:00"\nshift_ends = "17:00"\n'
        )

    @property
    def database(self) -> Path:
        return self.cloud / "cloud.db"

    def at_the_van(self, command: str, bundle: str) -> int:
        return van_program.main([command, str(self.van_toml), str(self.stick / bundle)])

    def at_the_coordinator(self, command: str, file: str, *more: str) -> int:
        return cloud_program.main([command, str(self.cloud_toml), str(self.stick / file), *more])

    def hands_out(self, version: int = 1) -> None:
        database = open_database(self.database)
        with database.transaction() as connection:
            save_manifest(connection, a_manifest(2, version=version), MORNING)
        database.close()

    def delivers(self, count: int = 1) -> None:
        """The van saves a photo, that many events, and two minutes of track."""

        async def save() -> None:
            store = await Store.open(self.van)
            said = [_record(EventKind.STOP_ARRIVED, {"stop_id": f"s{number}"}) for number in range(count)]
            proof = {
                "stop_id": "s1",
                "evidence_kind": "photo",
                "sha256": PHOTO_SHA,
                "size_bytes": len(PHOTO),
                "media_type": "image/jpeg",
            }
            step = Step(
                at_ms=AT_MS,
                run=await store.load_run(),
                blob=NewBlob(PHOTO_SHA, EvidenceKind.PHOTO, "image/jpeg", PHOTO),
                records=(_record(EventKind.PROOF_CAPTURED, proof), *said),
                crumbs=tuple(
                    Breadcrumb(wall_ms=AT_MS + 1000 * s, lat_deg=41.0, lon_deg=-8.0, speed_mps=None) for s in range(120)
                ),
            )
            await store.save(step)
            await store.close()

        asyncio.run(save())

    def waiting(self) -> tuple[int, int, int]:
        async def count() -> tuple[int, int, int]:
            store = await Store.open(self.van)
            await store.close()
            return store.waiting.events, store.waiting.track, store.waiting.blobs

        return asyncio.run(count())

    def stored(self) -> tuple[int, int, bool]:
        """Records, breadcrumbs, and whether the photo is whole."""
        database = open_database(self.database)
        with database.snapshot() as connection:
            counts = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (records, breadcrumbs, forks, parked)
            ]
            is_whole = whole_blob(connection, PHOTO_SHA) == PHOTO
        database.close()
        assert counts[2:] == [0, 0]
        return counts[0], counts[1], is_whole

    def meet(self) -> None:
        """The van connects: it says that it is here, is told how it stands, and what it sends is carried by bundles."""

        async def hear(receipts: list[Receipts]) -> None:
            store = await Store.open(self.van)
            for receipt in receipts:
                await store.apply_receipts(receipt, AT_MS)
            await store.close()

        async def who() -> Presence:
            store = await Store.open(self.van)
            kept = await store.kept_epochs()
            await store.close()
            return Presence(
                van="van-1", epoch=store.identity.epoch, boot=store.identity.boot, is_online=True, kept_epochs=kept
            )

        presence = unpack("town", topics.PRESENCE.of("town", "van-1"), encode(asyncio.run(who())))
        assert presence is not None
        database = open_database(self.database)
        with database.transaction() as connection:
            applied = apply_group(connection, [Incoming(presence)], MORNING)
        database.close()
        asyncio.run(hear([receipts_for(standing) for _, standing in applied.standings]))

    def carry_all(self) -> None:
        """Up, down, until nothing waits."""
        for _ in range(4):
            (self.stick / "up").unlink(missing_ok=True)
            assert self.at_the_van("export", "up") == 0
            assert self.at_the_coordinator("import", "up") == 0
            assert self.at_the_coordinator("export", "down", "van-1") == 0
            assert self.at_the_van("import", "down") == 0
            self.meet()


def _now() -> str:
    return str(time.time())


def _record(kind: EventKind, body: dict[str, object]) -> Record:
    return Record(kind=kind, wall_ms=AT_MS, wall_source="gps", mono_ms=0, boot=1, body=body)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_a_day_goes_by_on_a_stick_and_receipts_come_back_on_it(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.hands_out()
    assert fleet.at_the_coordinator("export", "down", "van-1") == 0
    assert fleet.at_the_van("import", "down") == 0
    assert "manifest 1 of 2026-11-23 is in force" in capsys.readouterr().out
    fleet.delivers()
    assert fleet.waiting() == (3, 120, 1)  # manifest.applied too

    assert fleet.at_the_van("export", "up") == 0
    assert fleet.waiting() == (3, 120, 1)  # carried is not received
    assert fleet.at_the_coordinator("import", "up") == 0
    assert fleet.stored() == (3, 120, True)
    assert fleet.at_the_coordinator("export", "down", "van-1") == 0
    assert fleet.at_the_van("import", "down") == 0
    assert fleet.waiting() == (0, 0, 0)


def test_a_bundle_applied_twice_changes_nothing(fleet: Fleet) -> None:
    fleet.hands_out()
    fleet.delivers()
    assert fleet.at_the_van("export", "up") == 0
    assert fleet.at_the_coordinator("export", "down", "van-1") == 0
    for _ in range(2):
        assert fleet.at_the_coordinator("import", "up") == 0
        assert fleet.stored() == (2, 120, True)
    for _ in range(2):
        assert fleet.at_the_van("import", "down") == 0
        assert fleet.waiting() == (3, 120, 1)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_damaged_bundle_is_refused_by_name_and_changes_nothing(
    fleet: Fleet, place: float, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.delivers()
    assert fleet.at_the_van("export", "up") == 0
    bundle = fleet.stick / "up"
    content = bytearray(bundle.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    bundle.write_bytes(content)

    assert fleet.at_the_coordinator("import", "up") == 2
    assert str(bundle) in capsys.readouterr().err
    assert not fleet.database.exists()


def test_a_packet_exchanged_in_a_bundle_is_found_out_by_its_sha256(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.delivers()
    assert fleet.at_the_van("export", "up") == 0
    with zipfile.ZipFile(fleet.stick / "up") as file:
        content = {name: file.read(name) for name in file.namelist()}
    content["packets/000002"] = content["packets/000001"]
    with zipfile.ZipFile(fleet.stick / "up", "w") as file:
        for name, data in content.items():
            file.writestr(name, data)

    assert fleet.at_the_coordinator("import", "up") == 2
    said = capsys.readouterr().err
    assert "packets/000002 is damaged" in said
    assert "sha256" in said


@pytest.mark.parametrize("missing_bytes", [1, 100, 10_000])
def test_a_bundle_cut_short_is_refused(fleet: Fleet, missing_bytes: int) -> None:
    fleet.delivers()
    assert fleet.at_the_van("export", "up") == 0
    bundle = fleet.stick / "up"
    bundle.write_bytes(bundle.read_bytes()[:-missing_bytes])
    assert fleet.at_the_coordinator("import", "up") == 2


def test_a_bundle_that_goes_the_other_way_is_refused_in_words(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.delivers()
    assert fleet.at_the_van("export", "up") == 0
    assert fleet.at_the_van("import", "up") == 2
    assert "it goes up" in capsys.readouterr().err


def test_a_running_agent_and_a_running_coordinator_keep_their_data_to_themselves(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.delivers()
    fleet.hands_out()
    assert fleet.at_the_van("export", "up") == 0
    assert fleet.at_the_coordinator("backup", "backup") == 0
    running = open_database(fleet.database)
    for command, file, *more in (("import", "up"), ("export", "down", "van-1"), ("restore", "backup")):
        assert fleet.at_the_coordinator(command, file, *more) == 2
        assert "stop the coordinator first" in capsys.readouterr().err
    running.close()
    store = asyncio.run(Store.open(fleet.van))
    assert fleet.at_the_van("export", "other") == 2
    assert "second agent" in capsys.readouterr().err
    asyncio.run(store.close())


def test_a_backup_is_taken_beside_a_running_coordinator_and_only_to_a_new_file(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.delivers()
    fleet.carry_all()
    running = open_database(fleet.database)
    assert fleet.at_the_coordinator("backup", "backup") == 0
    running.close()
    assert fleet.at_the_coordinator("backup", "backup") == 2
    assert "is there already" in capsys.readouterr().err
    before = fleet.stored()
    fleet.database.unlink()
    assert fleet.at_the_coordinator("restore", "backup") == 0
    assert fleet.stored() == before


def test_a_coordinator_restored_from_yesterdays_backup_gets_everything_again(fleet: Fleet) -> None:
    fleet.hands_out()
    fleet.delivers(2)
    assert fleet.at_the_coordinator("backup", "backup") == 0  # of a time before all of it
    fleet.carry_all()
    everything = fleet.stored()
    assert everything == (4, 120, True)
    assert fleet.waiting() == (0, 0, 0)

    assert fleet.at_the_coordinator("restore", "backup") == 0
    assert fleet.stored() == (0, 0, False)
    assert len(list(fleet.cloud.glob("cloud.db.before-restore-*"))) == 1
    fleet.meet()
    assert fleet.waiting() == (4, 120, 0)
    fleet.carry_all()
    assert fleet.stored() == everything
    assert fleet.waiting() == (0, 0, 0)


def test_evidence_that_the_backup_does_not_know_is_asked_for_though_its_record_is_known(fleet: Fleet) -> None:
    fleet.delivers()
    assert fleet.at_the_van("export", "up") == 0
    with zipfile.ZipFile(fleet.stick / "up") as file:
        events = file.read("packets/000001")
    unpacked = unpack("town", topics.EVENTS.of("town", "van-1"), events)
    assert unpacked is not None
    database = open_database(fleet.database)
    with database.transaction() as connection:
        apply_group(connection, [Incoming(unpacked)], MORNING)
    database.close()
    assert fleet.at_the_coordinator("backup", "backup") == 0  # between the record and its photo
    fleet.carry_all()
    assert fleet.waiting() == (0, 0, 0)

    assert fleet.at_the_coordinator("restore", "backup") == 0
    assert fleet.stored() == (2, 0, False)
    fleet.meet()
    assert fleet.waiting() == (0, 120, 1)
    fleet.carry_all()
    assert fleet.stored() == (2, 120, True)


def test_a_van_and_a_coordinator_both_restored_lose_nothing_that_either_kept(fleet: Fleet) -> None:
    fleet.delivers(1)
    fleet.carry_all()
    fleet.waiting()  # one start more
    image = (fleet.van / "van.sqlite").read_bytes()
    fleet.delivers(2)  # lost with the van's disk unless it came through
    fleet.carry_all()
    known = fleet.stored()
    (fleet.van / "van.sqlite").write_bytes(image)
    fleet.delivers(1)  # under a new epoch, from seq 1
    fleet.carry_all()
    records_now, _, is_whole = fleet.stored()
    assert records_now == known[0] + 2
    assert is_whole


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(5000)])
def test_what_is_no_backup_is_refused_and_the_database_stays(
    fleet: Fleet, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.delivers()
    fleet.carry_all()
    before = fleet.stored()
    (fleet.stick / "backup").write_bytes(content)
    assert fleet.at_the_coordinator("restore", "backup") == 2
    assert str(fleet.stick / "backup") in capsys.readouterr().err
    assert fleet.stored() == before


def test_a_damaged_database_is_kept_aside_and_replaced(fleet: Fleet) -> None:
    fleet.delivers()
    fleet.carry_all()
    assert fleet.at_the_coordinator("backup", "backup") == 0
    before = fleet.stored()
    fleet.database.write_bytes(b"ruined" * 1000)
    assert fleet.at_the_coordinator("restore", "backup") == 0
    assert fleet.stored() == before
    (kept,) = fleet.cloud.glob("cloud.db.before-restore-*")
    assert kept.read_bytes() == b"ruined" * 1000
