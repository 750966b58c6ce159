import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cloud.store.conditions import conditions_now
from cloud.store.manifests import newest_manifest
from tests.builders import MORNING, at
from tests.cloud.api.world import (
    CHANGE,
    World,
    a_world,
    an_events_packet,
    captured,
    chunk_packets,
    completed,
    csv_of,
    some_orders,
)
from wire import topics
from wire.codec import encode
from wire.events import (
    EventKind,
    FixQuality,
    Live,
    LivePosition,
    StopArrived,
)
from wire.manifest import Manifest, SequencePolicy

DAY = MORNING.date()
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 100


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


async def manifest_of(world: World, van: str) -> Manifest | None:
    return await world.parts.database.read(lambda conn: newest_manifest(conn, van, DAY))


async def with_stops(world: World, count: int = 4) -> dict[str, list[str]]:
    """Imports and assigns; answers which van has which stops."""
    await world.post("/api/orders/import", some_orders(count))
    await world.post("/api/assign")
    picture = await world.get("/api/picture")
    return {van["van"]: van["stop_ids"] for van in picture["vans"]}


# Orders ---------------------------------------------------------------------------------------------------------------


async def test_a_dry_run_reports_and_keeps_nothing(world: World) -> None:
    report = await world.post("/api/orders/import?dry_run=1", some_orders(3) + b"B,,,,,,\n")
    assert (report["is_dry_run"], report["rows"], report["added"]) == (True, 4, 3)
    assert report["problems"][0]["row"] == 5
    assert (await world.get("/api/picture"))["stops"] == []


async def test_an_import_takes_the_good_rows_and_the_picture_shows_them(world: World) -> None:
    report = await world.post("/api/orders/import", some_orders(3) + b"B,nan,1,,,,\n")
    assert (report["added"], len(report["problems"])) == (3, 1)
    stops = (await world.get("/api/picture"))["stops"]
    assert [(stop["order_ref"], stop["status"]) for stop in stops] == [(f"A{n}", "unassigned") for n in (1, 2, 3)]


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    await world.post("/api/orders/import", some_orders(3))
    report = await world.post("/api/orders/import", some_orders(3))
    assert (report["added"], report["updated"], report["unchanged"]) == (0, 0, 3)


async def test_orders_missing_from_a_later_file_stay(world: World) -> None:
    await world.post("/api/orders/import", some_orders(3))
    await world.post("/api/orders/import", some_orders(1))
    assert len((await world.get("/api/picture"))["stops"]) == 3


async def test_what_is_no_csv_is_refused_with_what_to_do(world: World) -> None:
    answer = await world.post("/api/orders/import", b"PK\x03\x04....", 400)
    assert answer["problem"] == "bad_request"
    assert "save it as CSV" in answer["message"]


async def test_a_body_too_large_is_refused(world: World) -> None:
    body = BytesIO(b"x" * 8_100_000)
    async with world.client.post("/api/orders/import", data=body, headers=CHANGE) as response:
        assert (response.status, (await response.json())["problem"]) == (413, "too_large")


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "9999-12-31", "0001-01-01"])
async def test_a_day_that_is_none_is_refused(world: World, day: str) -> None:
    for path in ("/api/orders/import", "/api/assign"):
        answer = await world.post(f"{path}?day={day}", some_orders(1), 400)
        assert "write it as 2026-11-23" in answer["message"]


async def test_the_stream_of_news_is_not_asked_for_by_head(world: World) -> None:
    async with world.client.head("/api/events") as response:
        assert response.status in (404, 405)  # it would be held open for a reader who never reads


async def test_a_manifest_too_big_for_one_message_is_refused_by_the_vans_name_and_nothing_is_given_out(
    world: World,
) -> None:
    rng = Random(1)
    words = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=320_000))
    rows = [f"A{n},41.15,-8.61,0,0,{words[n * 800 : n * 800 + 800]}" for n in range(400)]
    text = "\n".join(("order_ref,lat_deg,lon_deg,parcels,service_s,instruction", *rows))
    await world.post("/api/orders/import", text.encode())
    answer = await world.post("/api/assign", status=413)
    assert answer["problem"] == "too_large"
    assert re.match(r"the manifest of van-\d would hold \d+ stops, too many for one message", answer["message"])
    assert "shorten instructions" in answer["message"]
    picture = await world.get("/api/picture")
    assert {stop["status"] for stop in picture["stops"]} == {"unassigned"}


async def test_exported_orders_can_be_imported_and_change_nothing(world: World) -> None:
    await world.post("/api/orders/import", csv_of("A,41.2,-8.6,09:00,10:00,photo?,2", "=B,41.2,-8.7,,,,1"))
    async with world.client.get("/api/orders") as response:
        text = await response.read()
    assert b"'=B" in text
    report = await world.post("/api/orders/import", text)
    assert (report["unchanged"], report["problems"]) == (2, [])


# Assignment -----------------------------------------------------------------------------------------------------------


async def test_assigning_gives_each_stop_a_van_and_each_van_a_manifest(world: World) -> None:
    await world.post("/api/orders/import", some_orders(6))
    report = await world.post("/api/assign?day=2026-11-23")
    assert (report["assigned"], report["unassigned"]) == (6, {})
    assert report["manifests"] == {"van-1": 1, "van-2": 1}
    manifests = [await manifest_of(world, van) for van in ("van-1", "van-2")]
    listed = [stop.order_ref for manifest in manifests if manifest for stop in manifest.stops]
    assert sorted(listed) == [f"A{n}" for n in range(1, 7)]
    assert world.outlet.woken > 0


async def test_assigning_again_makes_no_new_manifest(world: World) -> None:
    await with_stops(world)
    report = await world.post("/api/assign")
    assert (report["assigned"], report["manifests"]) == (0, {"van-1": 1, "van-2": 1})


async def test_stops_that_no_van_can_take_say_why_on_the_picture(world: World) -> None:
    await world.post("/api/orders/import", csv_of("BIG,41.16,-8.61,,,,21"))
    report = await world.post("/api/assign")
    assert list(report["unassigned"].values()) == ["21 parcels are more than any van takes (van-1 takes 20)"]
    (stop,) = (await world.get("/api/picture"))["stops"]
    assert stop["why_unassigned"].startswith("21 parcels")


async def set_policy(world: World, van: str, body: bytes, status: int = 200) -> Any:
    async with world.client.put(f"/api/vans/{van}/policy", data=body, headers=CHANGE) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_a_dispatcher_says_who_may_order_a_vans_stops_and_later_lists_keep_to_it(world: World) -> None:
    before = await with_stops(world)
    woken = world.outlet.woken
    assert (await set_policy(world, "van-1", b'{"policy":"fixed"}'))["manifests"] == {"van-1": 2}
    assert world.outlet.woken > woken
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    assert (manifest.policy, manifest.version) == (SequencePolicy.FIXED, 2)
    assert [stop.stop_id for stop in manifest.stops] == before["van-1"]
    vans = {van["van"]: van for van in (await world.get("/api/picture"))["vans"]}
    assert (vans["van-1"]["policy"], vans["van-2"]["policy"]) == ("fixed", "advised")
    await world.post(f"/api/orders/{before['van-1'][0]}/cancel")
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    assert (manifest.policy, manifest.version) == (SequencePolicy.FIXED, 3)


async def test_the_same_policy_again_is_no_new_list_and_what_is_none_is_refused(world: World) -> None:
    await set_policy(world, "van-1", b'{"policy":"free"}', status=409)  # no list yet
    await with_stops(world)
    assert (await set_policy(world, "van-1", b'{"policy":"advised"}'))["manifests"] == {"van-1": 1}
    for body in (b'{"policy":"whatever"}', b"{}", b"", b'{"policy":"free","x":1}'):
        assert (await set_policy(world, "van-1", body, status=400))["problem"] == "bad_request"
    await set_policy(world, "van-9", b'{"policy":"free"}', status=404)


async def test_a_changed_order_reaches_its_van_by_a_new_manifest(world: World) -> None:
    before = await with_stops(world)
    van = next(name for name, stops in before.items() if "20261123-A1" in stops)
    changed = csv_of("A1,41.1520,-8.6200,09:00,11:00,,1")
    assert (await world.post("/api/orders/import", changed))["updated"] == 1
    manifest = await manifest_of(world, van)
    assert manifest is not None
    assert manifest.version == 2
    assert next(stop for stop in manifest.stops if stop.order_ref == "A1").windows


async def test_a_cancelled_stop_leaves_the_manifest_and_stays_cancelled(world: World) -> None:
    before = await with_stops(world)
    stop_id = before["van-1"][0]
    report = await world.post(f"/api/orders/{stop_id}/cancel")
    assert report["manifests"] == {"van-1": 2}
    manifest = await manifest_of(world, "van-1")
    assert manifest is not None
    assert stop_id not in [stop.stop_id for stop in manifest.stops]
    assert (await world.get(f"/api/stops/{stop_id}"))["stop"]["status"] == "cancelled"
    report = await world.post("/api/orders/import", some_orders(4).replace(b",1\n", b",2\n"))
    assert "was cancelled" in report["problems"][0]["problem"]


async def test_cancelling_what_is_not_there_or_done_is_refused(world: World) -> None:
    assert (await world.post("/api/orders/nothing/cancel", status=404))["problem"] == "not_found"
    stop_id = (await with_stops(world))["van-1"][0]
    await world.said_by_van("van-1", an_events_packet("van-1", 1, completed(stop_id)))
    assert "already done" in (await world.post(f"/api/orders/{stop_id}/cancel", status=409))["message"]


async def test_an_import_does_not_change_what_is_done(world: World) -> None:
    stop_id = (await with_stops(world))["van-1"][0]
    await world.said_by_van("van-1", an_events_packet("van-1", 1, completed(stop_id)))
    report = await world.post("/api/orders/import", some_orders(4).replace(b",1\n", b",2\n"))
    assert report["updated"] == 3
    assert "is already done" in report["problems"][0]["problem"]


# Stops and proof ------------------------------------------------------------------------------------------------------


async def test_a_stop_page_shows_the_proof_as_its_bytes_come_in(world: World) -> None:
    stop_id = (await with_stops(world))["van-1"][0]
    sha256 = hashlib.sha256(PHOTO).hexdigest()
    arrived = (EventKind.STOP_ARRIVED, StopArrived(stop_id=stop_id, distance_m=12))
    packet = an_events_packet("van-1", 1, arrived, captured(stop_id, PHOTO), completed(stop_id))
    first, *rest = chunk_packets("van-1", PHOTO)
    assert rest
    await world.said_by_van("van-1", packet, first)

    page = await world.get(f"/api/stops/{stop_id}")
    assert (page["stop"]["status"], page["received_by"], page["distance_m"]) == ("completed", "Ana", 9)
    assert [(one["is_whole"], one["held_bytes"]) for one in page["evidence"]] == [(False, 16_384)]
    missing = await world.get(f"/api/blobs/{sha256}", 404)
    assert "16384 bytes are here" in missing["message"]

    await world.said_by_van("van-1", *rest)
    page = await world.get(f"/api/stops/{stop_id}")
    assert page["evidence"][0]["is_whole"]
    assert [entry["kind"] for entry in page["history"]] == ["stop.arrived", "proof.captured", "stop.completed"]
    async with world.client.get(f"/api/blobs/{sha256}") as response:
        assert (await response.read(), response.content_type) == (PHOTO, "image/jpeg")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_evidence_nobody_announced_is_not_there(world: World) -> None:
    assert "no van has announced" in (await world.get(f"/api/blobs/{'a' * 64}", 404))["message"]
    assert "sha256" in (await world.get("/api/blobs/..%2f..%2fetc%2fpasswd", 404))["message"]


async def test_whole_bytes_that_no_record_announced_are_not_shown_as_a_picture(world: World) -> None:
    await world.said_by_van("van-1", *chunk_packets("van-1", b"<script>"))
    async with world.client.get(f"/api/blobs/{hashlib.sha256(b'<script>').hexdigest()}") as response:
        assert response.content_type == "application/octet-stream"


async def test_a_stop_that_is_not_there_is_not_found(world: World) -> None:
    assert (await world.get("/api/stops/nothing", 404))["problem"] == "not_found"


# Closures -------------------------------------------------------------------------------------------------------------

CLOSURE = {
    "closure_id": "",
    "note": "bridge works",
    "line": [[41.15, -8.61], [41.16, -8.61]],
    "valid_from": MORNING.isoformat(),
    "valid_until": at(120).isoformat(),
}


def closure(**changes: Any) -> bytes:
    return json.dumps(CLOSURE | changes).encode()


async def test_a_closure_is_shown_told_and_lifted(world: World) -> None:
    made = await world.post("/api/closures", closure())
    assert made["closure_id"]
    assert made["line"] == [[-8.61, 41.15], [-8.61, 41.16]]
    assert (await world.get("/api/picture"))["closures"] == [made]
    assert world.outlet.woken == 1
    async with world.client.delete(f"/api/closures/{made['closure_id']}", headers=CHANGE) as response:
        assert response.status == 200
    assert (await world.get("/api/picture"))["closures"] == []
    async with world.client.delete(f"/api/closures/{made['closure_id']}", headers=CHANGE) as response:
        assert response.status == 404


async def test_the_same_closure_again_is_the_same_closure_and_another_under_its_id_is_not(world: World) -> None:
    body = closure(closure_id="c1")
    assert await world.post("/api/closures", body) == await world.post("/api/closures", body)
    await world.post("/api/closures", closure(closure_id="c1", note="other"), 409)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        closure(line=[]),
        closure(line=[[41.15, -8.61]]),
        closure(line=[[95, 0], [0, 0]]),
        closure(valid_until=at(-10).isoformat()),
        closure(valid_from="soon"),
        closure(closure_id="../x"),
        closure(line=[[41.15, -8.61]] * 501),
        b'{"line": NaN}',
    ],
)
async def test_what_is_no_closure_is_refused_with_words(world: World, body: bytes) -> None:
    answer = await world.post("/api/closures", body, 400)
    assert answer["problem"] == "bad_request"
    assert answer["message"]


SPEED = {
    "factor": 0.5,
    "note": "market",
    "area": [[41.15, -8.61], [41.16, -8.61], [41.16, -8.6]],
    "valid_from": at(0).isoformat(),
    "valid_until": at(120).isoformat(),
}


def speed(**changes: Any) -> bytes:
    return json.dumps(SPEED | changes).encode()


async def test_a_change_of_speed_is_kept_told_and_lifted(world: World) -> None:
    (made,) = (await world.post("/api/speeds", speed()))["speeds"]
    assert (made["factor"], made["area"]) == (0.5, SPEED["area"])
    assert world.outlet.woken == 1
    told = await world.parts.database.read(lambda conn: conditions_now(conn, at(0)))
    assert told is not None
    assert [change.speed_id for change in told.speeds] == [made["speed_id"]]
    assert (await world.get("/api/speeds"))["speeds"] == [made]
    for status in (200, 404):
        async with world.client.delete(f"/api/speeds/{made['speed_id']}", headers=CHANGE) as response:
            assert response.status == status
    told = await world.parts.database.read(lambda conn: conditions_now(conn, at(0)))
    assert told is not None
    assert (told.speeds, told.version) == ((), 2)


async def test_the_same_change_of_speed_again_is_the_same_one_and_another_under_its_id_is_not(world: World) -> None:
    body = speed(speed_id="s1")
    assert await world.post("/api/speeds", body) == await world.post("/api/speeds", body)
    await world.post("/api/speeds", speed(speed_id="s1", factor=0.7), 409)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        speed(area=[[41.15, -8.61], [41.16, -8.61]]),
        speed(factor=0),
        speed(factor=3),
        speed(valid_until=at(-10).isoformat()),
        speed(area=[[41.15, -8.61]] * 501),
    ],
)
async def test_what_is_no_change_of_speed_is_refused_with_words(world: World, body: bytes) -> None:
    answer = await world.post("/api/speeds", body, 400)
    assert answer["problem"] == "bad_request"
    assert answer["message"]


# Vans -----------------------------------------------------------------------------------------------------------------


def live_packet(van: str, *stop_ids: str) -> tuple[topics.Topic, bytes]:
    position = LivePosition(lat_deg=41.15, lon_deg=-8.6, fixed_at=MORNING, quality=FixQuality.FIX_3D)
    return topics.LIVE, encode(Live(van=van, sent_at=MORNING, position=position, plan_version=1, stop_ids=stop_ids))


async def test_a_route_leads_from_the_van_through_its_open_stops(world: World) -> None:
    stop_ids = (await with_stops(world))["van-1"]
    await world.said_by_van("van-1", live_packet("van-1", *reversed(stop_ids)))
    route = await world.get("/api/vans/van-1/route")
    assert route["times"] == "estimate"
    assert route["line"][0] == [-8.6, 41.15]
    assert len(route["line"]) == 1 + len(stop_ids)


async def test_a_van_with_nothing_to_do_has_no_route(world: World) -> None:
    assert (await world.get("/api/vans/van-1/route"))["line"] == []


async def test_a_van_that_is_not_in_the_fleet_is_not_found(world: World) -> None:
    assert "no van van-9" in (await world.get("/api/vans/van-9/route", 404))["message"]


async def test_events_start_with_the_picture_and_go_on_with_what_changed(world: World) -> None:
    async with world.client.get("/api/events") as response:
        assert response.content_type == "text/event-stream"
        assert "Content-Security-Policy" in response.headers
        name, picture = await next_event(response)
        assert (name, picture["stops"]) == ("picture", [])
        await world.post("/api/orders/import", some_orders(1))
        name, stops = await next_event(response)
        assert (name, [stop["order_ref"] for stop in stops]) == ("stops", ["A1"])
        await world.post("/api/closures", closure())
        name, closures = await next_event(response)
        assert (name, len(closures)) == ("closures", 1)


async def next_event(response: Any) -> tuple[str, Any]:
    async with asyncio.timeout(5):
        lines: list[str] = []
        while (line := (await response.content.readline()).decode().rstrip("\n")) or not lines:
            lines.append(line)
    return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


# The door -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1:8100", "127.0.0.1.evil.example", ""])
async def test_a_host_that_is_not_this_machine_is_refused(world: World, host: str) -> None:
    async with world.client.get("/api/picture", headers={"Host": host}) as response:
        assert response.status == 403
        assert (await response.json())["problem"] == "forbidden"


@pytest.mark.parametrize("host", ["localhost:8100", "127.0.0.1", "[::1]:8100"])
async def test_this_machine_by_any_name_is_let_in(world: World, host: str) -> None:
    async with world.client.get("/api/health", headers={"Host": host}) as response:
        assert await response.json() == {"broker": "up", "store": "ok"}


@pytest.mark.parametrize("path", ["/api/orders/import", "/api/assign", "/api/closures", "/api/orders/x/cancel"])
async def test_a_change_without_our_header_is_refused(world: World, path: str) -> None:
    async with world.client.post(path, data=some_orders(1)) as response:
        assert response.status == 403
    assert (await world.get("/api/picture"))["stops"] == []


async def test_every_answer_carries_the_headers_of_a_closed_house(world: World) -> None:
    for path in ("/api/picture", "/api/nothing", "/", "/tiles/1/0/0.pbf"):
        async with world.client.get(path) as response:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert response.headers["Referrer-Policy"] == "same-origin"


async def test_unknown_paths_and_methods_are_told_in_words(world: World) -> None:
    assert "/api/nothing" in (await world.get("/api/nothing", 404))["message"]
    await world.post("/api/picture", status=405)


async def test_only_files_of_the_page_are_served(world: World, tmp_path: Path) -> None:
    pages = tmp_path / "pages" / "console"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text("<html>")
    (pages / "assets" / "a.js").write_text("1")
    (tmp_path / "pages" / "secret").write_text("no")
    (pages / "link").symlink_to(tmp_path / "pages" / "secret")
    for path, status in (("/", 200), ("/assets/a.js", 200), ("/..%2fsecret", 404), ("/link", 404), ("/%00", 404)):
        async with world.client.get(path) as response:
            assert response.status == status, path


async def test_without_a_map_pack_there_are_no_tiles_and_no_error(world: World) -> None:
    assert (await world.get("/api/map"))["has_tiles"] is False
    async with world.client.get("/tiles/3/1/2.pbf") as response:
        assert response.status == 204


async def test_a_new_start_shows_the_same_picture(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        stop_id = (await with_stops(world))["van-1"][0]
        await world.said_by_van("van-1", an_events_packet("van-1", 1, completed(stop_id)))
        await world.post("/api/closures", closure(closure_id="c1"))
        before = await world.get("/api/picture")
    async with a_world(tmp_path) as world:
        assert await world.get("/api/picture") == before
