"""A door that asks for everything, as its page meets it: on a whole agent with no gpsd, broker or map."""

from pathlib import Path

import pytest

from tests.agent.conftest import StartCab, begin_day
from tests.agent.pictures import a_photo
from tests.agent.pod.test_scans import sscc
from tests.builders import a_run, a_stop
from wire.handover import Cash, Handover, Parcel
from wire.manifest import EvidenceKind, EvidenceRule
from wire.pin import hashed

PIN = "4071"
DOOR = a_stop(
    1,
    proof={
        EvidenceKind.SCAN: EvidenceRule.REQUIRED,
        EvidenceKind.PHOTO: EvidenceRule.REQUIRED,
        EvidenceKind.SIGNATURE: EvidenceRule.WARN,
        EvidenceKind.NOTE: EvidenceRule.OPTIONAL,
    },
    handover=Handover(
        parcels=(Parcel(code=sscc(1)), Parcel(code=sscc(2))),
        pin_hash=hashed(PIN, "s1"),
        min_age=18,
        cash=Cash(amount_minor=2450, currency="EUR"),
    ),
)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    await begin_day(tmp_path, a_run([DOOR, a_stop(2)]))
    return tmp_path


def is_anywhere(what: bytes, folder: Path) -> bool:
    return any(what in path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_each_check_is_taken_and_then_the_stop_closes_with_a_reason(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        taps: list[dict[str, object]] = [
            {"kind": "arrived"},
            {"kind": "scan", "code": f"]C100{sscc(1)}"},
            {"kind": "mark", "code": sscc(2), "state": "refused"},
            {"kind": "pin", "pin": PIN},
            {"kind": "age", "is_old_enough": True},
            {"kind": "cash", "amount_minor": 2450},
            {"kind": "note", "note": "bell broken"},
        ]
        for number, tap in enumerate(taps):
            assert (await cab.tap(tap_id=f"tap-0000{number}", stop_id="s1", **tap))[0] == 200
        hand = (await cab.view())["stops"][0]["hand"]
        assert (hand["missing"], hand["warned"]) == (["photo"], ["signature"])

        assert (await cab.evidence("s1", a_photo(), kind="photo", tap_id="tap-10000"))[0] == 200
        status, refused = await cab.tap(kind="delivered", tap_id="tap-20000", stop_id="s1")
        assert (status, refused["trouble"]) == (409, "A reason is wanted for what was not done.")
        waivers = [{"kind": "signature", "why": "recipient_declined"}]
        closed = await cab.tap(kind="delivered", tap_id="tap-20001", stop_id="s1", waivers=waivers)
        assert closed[0] == 200
        stop = next(stop for stop in (await cab.view())["stops"] if stop["stop_id"] == "s1")
        assert (stop["outcome"], stop["state"]) == ("partial", "served")
        assert stop["hand"]["undo_until"] is not None

        assert (await cab.tap(kind="undo", tap_id="tap-20002", stop_id="s1"))[0] == 200
        stop = (await cab.view())["stops"][0]
        assert (stop["phase"], stop["state"], stop["is_ready_to_close"]) == ("arrived", "arrived", True)


async def test_wrong_pins_are_counted_through_a_restart_and_the_digits_are_kept_nowhere(
    folder: Path, start_cab: StartCab
) -> None:
    for start in range(2):
        async with start_cab(folder) as cab:
            for number in range(2):
                tap = await cab.tap(kind="pin", tap_id=f"tap-{start}000{number}", stop_id="s1", pin="9182")
                assert tap[0] == 200
            # The same tap again, as a page sends it that lost the answer, is not one more try.
            again = await cab.tap(kind="pin", tap_id=f"tap-{start}0001", stop_id="s1", pin="9182")
            assert again[0] == 200
            left = (await cab.view())["stops"][0]["hand"]["pin_tries_left"]
            assert left == 3 - 2 * start
    assert not is_anywhere(b"9182", folder)


async def test_the_load_is_checked_by_code(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        for number, code in enumerate((sscc(1), sscc(7))):
            assert (await cab.tap(kind="load_scan", tap_id=f"tap-0000{number}", code=code))[0] == 200
        load = (await cab.view())["load"]
        assert (load["codes"], load["scanned"], load["last_scan"]["verdict"]) == (2, 1, "unknown")
        assert [parcel["code"] for parcel in load["missing"]] == [sscc(2)]
        assert (await cab.tap(kind="load", tap_id="tap-00009"))[0] == 200
        assert (await cab.view())["load"]["checked_at"] is not None


async def test_what_is_no_picture_is_not_taken_as_one(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        assert (await cab.evidence("s1", a_photo(), kind="pin", tap_id="tap-00001"))[0] == 400
