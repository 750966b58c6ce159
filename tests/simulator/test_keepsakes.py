"""Photos and signatures: no two alike, of a believable size, the same for the same seed."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from simulator import keepsakes
from simulator.seenlog import Seen, SeenLog, SeenTwiceError, read_evidence, read_seen


def test_photos_are_of_a_believable_size_and_no_two_alike() -> None:
    photos = [keepsakes.photo(f"stop {number}", "Željko Ünal") for number in range(4)]
    assert len(set(photos)) == 4
    assert all(30_000 <= len(photo) <= 120_000 for photo in photos)
    assert photos[0] == keepsakes.photo("stop 0", "Željko Ünal")
    assert Image.open(io.BytesIO(photos[0])).format == "JPEG"


def test_signatures_are_ink_on_paper_and_no_two_alike() -> None:
    signatures = [keepsakes.signature(f"stop {number}") for number in range(4)]
    assert len(set(signatures)) == 4
    ink = Image.open(io.BytesIO(signatures[0])).histogram()
    assert 0.005 < sum(ink[:128]) / sum(ink) < 0.2


def _seen(tap_id: str) -> Seen:
    return Seen(at=datetime(2026, 11, 23, tzinfo=UTC), van="van-1", stop_id="s1", kind="photo", tap_id=tap_id)


def test_the_notebook_is_read_back_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with SeenLog(tmp_path, "van-1") as log:
        log.note(_seen("tap-00001"))
        log.keep("ab" * 32, b"picture")
    with SeenLog(tmp_path, "van-1") as log:
        log.note(_seen("tap-00002"))
        with pytest.raises(SeenTwiceError):
            log.note(_seen("tap-00001"))
    assert [seen.tap_id for seen in read_seen(tmp_path / "van-1.jsonl")] == ["tap-00001", "tap-00002"]
    assert read_evidence(tmp_path) == {"ab" * 32: b"picture"}


def test_a_line_cut_short_does_not_count(tmp_path: Path) -> None:
    with SeenLog(tmp_path, "van-1") as log:
        log.note(_seen("tap-00001"))
    with (tmp_path / "van-1.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-')
    assert len(read_seen(tmp_path / "van-1.jsonl")) == 1
