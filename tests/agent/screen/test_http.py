"""The cab's HTTP as its page meets it, on a whole agent with no gpsd, broker or map."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from agent.errors import StoreError, StoreErrorKind
from agent.gps.position import Motion
from agent.store.store import Store
from agent.trip.offers import offered
from tests.agent.conftest import ASKED, StartCab, begin_day
from tests.agent.pictures import a_photo, a_signature
from tests.builders import MORNING, a_proposal, a_run, a_stop, with_proof
from tests.labels import SSCC, a_label
from wire.manifest import EvidenceKind

PROVEN = a_stop(1, proof=with_proof(EvidenceKind.SIGNATURE, EvidenceKind.PHOTO))


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A day with two stops, the first of which needs a signature and a photo."""
    await begin_day(tmp_path, a_run([PROVEN, a_stop(2)]))
    return tmp_path


async def test_the_page_gets_the_day_without_any_neighbour(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        view = await cab.view()
        assert [stop["stop_id"] for stop in view["stops"]] == ["s1", "s2"]
        async with cab.http.get(f"{cab.url}/api/route") as answer:
            route = await answer.json()
        assert route["times"] == "estimate"
        assert len(route["line"]) == 2
        async with cab.http.get(f"{cab.url}/api/map") as answer:
            assert not (await answer.json())["has_tiles"]
        async with cab.http.get(f"{cab.url}/tiles/14/1/1.pbf") as answer:
            assert answer.status == 204


async def test_evidence_and_then_delivered(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1"))[0] == 200
        status, refused = await cab.tap(kind="delivered", tap_id="tap-00002", stop_id="s1")
        assert (status, refused["trouble"]) == (409, "Proof is still missing for this stop.")

        for number, (kind, data) in enumerate((("signature", a_signature()), ("photo", a_photo()))):
            status, saved = await cab.evidence("s1", data, kind=kind, tap_id=f"tap-1000{number}", signed_by="Ana")
            assert status == 200
            async with cab.http.get(f"{cab.url}/api/evidence/{saved['sha256']}") as answer:
                kept = await answer.read()
                assert answer.content_type == ("image/png" if kind == "signature" else "image/jpeg")
            assert hashlib.sha256(kept).hexdigest() == saved["sha256"]

        assert (await cab.tap(kind="delivered", tap_id="tap-00003", stop_id="s1", received_by="Ana"))[0] == 200
        view = await cab.view()
        assert view["stops"][0]["phase"] == "completed"
        assert [step["signed_by"] for step in view["stops"][0]["steps"]] == ["Ana", "Ana"]
        assert view["link"]["waiting"] == 7  # the key, arrived, two proofs with their bytes, completed


async def test_the_same_tap_again_gets_the_same_answer_and_is_done_once(folder: Path, start_cab: StartCab) -> None:
    photo = a_photo()
    async with start_cab(folder) as cab:
        first = await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s2")
        assert await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s2") == first
        shot = await cab.evidence("s2", photo, kind="photo", tap_id="tap-00002")
        assert await cab.evidence("s2", photo, kind="photo", tap_id="tap-00002") == shot
        waiting = (await cab.view())["link"]["waiting"]
    async with start_cab(folder) as cab:  # and after a restart
        assert await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s2") == first
        assert await cab.evidence("s2", photo, kind="photo", tap_id="tap-00002") == shot
        assert (await cab.view())["link"]["waiting"] == waiting


@pytest.mark.parametrize(("kind", "order"), [("accept", ["s2", "s1", "s3"]), ("keep", ["s1", "s2", "s3"])])
async def test_the_drivers_answer_to_an_offer_is_saved_and_outlives_a_restart(
    tmp_path: Path, start_cab: StartCab, kind: str, order: list[str]
) -> None:
    run = a_run(3, motion=Motion.PARKED)
    await begin_day(tmp_path, offered(run, a_proposal((2, 1, 3), beside=run), MORNING))
    async with start_cab(tmp_path) as cab:
        view = await cab.view()
        assert [stop["stop_id"] for stop in view["offer"]["stops"]] == ["s2", "s1", "s3"]
        said = await cab.tap(kind=kind, tap_id="tap-00001", offer=1)
        assert said[0] == 200
        assert await cab.tap(kind=kind, tap_id="tap-00001", offer=1) == said
    async with start_cab(tmp_path) as cab:
        assert await cab.tap(kind=kind, tap_id="tap-00001", offer=1) == said
        assert (await cab.tap(kind=kind, tap_id="tap-00002", offer=1))[0] == 200  # the page lost the first answer
        other = "keep" if kind == "accept" else "accept"
        status, refused = await cab.tap(kind=other, tap_id="tap-00003", offer=1)
        assert (status, refused["trouble"]) == (409, "This suggestion is no longer there.")
        view = await cab.view()
        assert view["offer"] is None
        assert [stop["stop_id"] for stop in view["stops"]] == order
        assert view["link"]["waiting"] == 2  # the key, and that: told once


async def test_a_tap_id_used_for_something_else_is_refused(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s2")
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1"))[0] == 409
        assert (await cab.evidence("s2", a_photo(), kind="photo", tap_id="tap-00001"))[0] == 409
        assert (await cab.view())["next_stop_id"] == "s2"


async def test_nonsense_is_refused_in_words(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        for body in (
            b"",
            b"{",
            b'{"kind":"arrived"}',
            b'{"kind":"arrived","tap_id":"tap-00001","stop_id":"\xff"}',
            b"NaN",
        ):
            async with cab.http.post(f"{cab.url}/api/taps", data=body, headers=ASKED) as answer:
                assert answer.status == 400
                assert (await answer.json())["message"].startswith("Not saved: ")
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="nobody"))[0] == 404
        status, refused = await cab.evidence("s1", b"%PDF", kind="photo", tap_id="tap-00002")
        assert (status, refused["message"]) == (422, "This is not a picture we can keep: only JPEG and PNG.")
        assert (await cab.evidence("s1", a_photo(), kind="video", tap_id="tap-00003"))[0] == 400
        assert (await cab.evidence("s1", a_photo(), kind="photo", tap_id="x"))[0] == 400
        assert (await cab.evidence("s1", a_photo(), kind="photo", tap_id="tap-00004", signed_by="a" * 121))[0] == 400
        assert (await cab.view())["link"]["waiting"] == 1  # the key


async def test_a_picture_over_12_mb_is_refused_before_it_is_opened(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        status, refused = await cab.evidence("s1", b"\0" * 12_000_002, kind="photo", tap_id="tap-00001")
        assert status == 413
        assert "12 MB" in refused["message"]


async def test_only_our_own_page_on_this_machine_may_ask(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        async with cab.http.get(f"{cab.url}/api/view", headers={"Host": "evil.example:8101"}) as answer:
            assert answer.status == 403
        async with cab.http.post(f"{cab.url}/api/taps", json={}) as answer:
            assert answer.status == 403
        for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
            async with cab.http.get(f"{cab.url}/api/view", headers={"Origin": origin, **ASKED}) as answer:
                assert answer.status == 403
        async with cab.http.get(f"{cab.url}/api/view", headers={"Origin": cab.url}) as answer:
            assert answer.status == 200
        for path in ("/api/view", "/", "/nothing", "/api/nothing"):
            async with cab.http.get(cab.url + path) as answer:
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_is_served_and_nothing_beside_it(folder: Path, start_cab: StartCab) -> None:
    cab_dir = folder / "pages" / "cab"
    (cab_dir / "assets").mkdir(parents=True)
    (cab_dir / "index.html").write_text("<!doctype html>cab")
    (cab_dir / "assets" / "a.js").write_text("1")
    (cab_dir / "way-out").symlink_to(folder / "van.sqlite")
    async with start_cab(folder) as cab:
        async with cab.http.get(cab.url) as answer:
            assert (await answer.text(), answer.headers["Cache-Control"]) == ("<!doctype html>cab", "no-cache")
        async with cab.http.get(f"{cab.url}/assets/a.js") as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        for path in ("/way-out", "/%2e%2e/%2e%2e/van.sqlite", "/assets", "/a%00b", "/" + "a" * 300):
            async with cab.http.get(cab.url + path) as answer:
                assert answer.status == 404


async def test_a_change_reaches_the_page_as_an_event(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab, cab.http.get(f"{cab.url}/api/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert await stream.content.readline() == b"event: view\n"
        assert b'"phase":"open"' in await stream.content.readline()
        await stream.content.readline()
        await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1")
        assert await stream.content.readline() == b"event: view\n"
        assert b'"phase":"arrived"' in await stream.content.readline()


async def test_a_full_disk_is_said_before_anything_is_called_saved(
    folder: Path, start_cab: StartCab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start_cab(folder) as cab:

        async def full(*_: object) -> None:
            raise StoreError(StoreErrorKind.FULL, "no room")

        with monkeypatch.context() as while_full:
            while_full.setattr(Store, "save", full)
            status, refused = await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1")
            assert status == 507
            assert "storage is full" in refused["message"]
            assert (await cab.view())["stops"][0]["phase"] == "open"
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1"))[0] == 200


async def test_a_stop_is_made_of_a_label_without_a_network_and_outlives_a_restart(
    folder: Path, start_cab: StartCab
) -> None:
    async with start_cab(folder) as cab:
        assert (await cab.tap(kind="label", tap_id="tap-00001", code=a_label(_4309="")))[0] == 200
        label = (await cab.view())["label"]
        assert (label["scan"]["verdict"], label["stop"]["found"]["placed_by"]) == ("unknown", "nowhere")
        assert (label["stop"]["wants_signature"], label["stop"]["found"]["may_leave"]) == (True, True)
        made = await cab.tap(kind="make_stop", tap_id="tap-00002", code=SSCC)
        assert made[0] == 200
    async with start_cab(folder) as cab:
        assert await cab.tap(kind="make_stop", tap_id="tap-00002", code=SSCC) == made
        view = await cab.view()
        assert [stop["place_trouble"] for stop in view["stops"]] == [None, None, "unplaced"]
        assert view["link"]["waiting"] == 2  # the key, and the stop
        assert not view["link"]["is_online"]


async def test_a_kept_photo_says_when_it_was_taken(folder: Path, start_cab: StartCab) -> None:
    async with start_cab(folder) as cab:
        _, saved = await cab.evidence("s1", a_photo(), kind="photo", tap_id="tap-00001")
        async with cab.http.get(f"{cab.url}/api/evidence/{saved['sha256']}") as answer:
            exif = Image.open(BytesIO(await answer.read())).getexif()
    assert exif.get_ifd(0x8769)[0x9011] in ("+00:00", "+01:00")
    assert not exif.get_ifd(0x8825)  # there is no fix
