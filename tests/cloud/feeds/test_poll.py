"""Publications asked for over HTTP, on a server of our own, into a real store."""

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from cloud.feeds.poll import READERS, Poller
from cloud.feeds.settings import FeedKind, FeedSettings
from cloud.store.conditions import conditions_now
from cloud.store.database import Database
from cloud.store.drawn import CLOSURES, lift, save
from tests.cloud.feeds.replies import DATEX2_V3, NOW, OPEN_METEO, PLAIN, WZDX
from wire.geo import Place
from wire.manifest import Closure, Conditions, Weather

DEPOT = Place(lat_deg=41.15, lon_deg=-8.61)


class Publisher:
    """Says `body`, or `status` when it is not 200; counts who asked and who knew already."""

    def __init__(self) -> None:
        self.body, self.status, self.etag = WZDX, 200, '"1"'
        self.asked, self.known = 0, 0
        self.headers: dict[str, str] = {}
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.headers = dict(request.headers)
        if request.headers.get("If-None-Match") == self.etag:
            self.known += 1
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers={"ETag": self.etag})


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    publisher = Publisher()
    app = web.Application()
    app.router.add_get("/feed", publisher.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    publisher.url = f"http://127.0.0.1:{runner.addresses[0][1]}/feed"
    yield publisher
    await runner.cleanup()


class Followed:
    """A poller and what came of it."""

    def __init__(self, url: str, database: Database, kind: FeedKind, name: str = "works", **more: object) -> None:
        self.changes = 0
        self.database = database
        self.at = NOW
        settings = FeedSettings.model_validate({"name": name, "kind": kind, "url": url, **more})
        self.poller = Poller(settings, depot=DEPOT, database=database, now=lambda: self.at, changed=self._changed)

    async def _changed(self) -> None:
        self.changes += 1

    async def look(self) -> str:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            return await self.poller.look(session)

    async def conditions(self) -> Conditions | None:
        return await self.database.read(lambda connection: conditions_now(connection, self.at))


async def test_a_closed_road_comes_once_goes_when_it_is_gone_and_comes_back(
    publisher: Publisher, database: Database
) -> None:
    works = Followed(publisher.url, database, FeedKind.GEOJSON)
    assert await works.look() == ""
    before = await works.conditions()
    assert before is not None
    assert [closure.note for closure in before.closures] == ["Water main"]
    publisher.etag = '"2"'  # said anew, word for word
    assert await works.look() == ""
    assert works.changes == 1
    publisher.body, publisher.etag = b'{"type": "FeatureCollection", "features": []}', '"3"'
    assert await works.look() == ""
    gone = await works.conditions()
    assert gone is not None
    assert (gone.closures, gone.version) == ((), before.version + 1)
    publisher.body, publisher.etag = WZDX, '"4"'
    assert await works.look() == ""
    back = await works.conditions()
    assert back is not None
    assert (back.closures, works.changes) == (before.closures, 3)


async def test_what_is_known_already_is_not_sent_again(publisher: Publisher, database: Database) -> None:
    works = Followed(publisher.url, database, FeedKind.GEOJSON, headers={"X-Key": "secret"})
    assert [await works.look(), await works.look()] == ["", ""]
    assert (publisher.asked, publisher.known, works.changes) == (2, 1, 1)
    assert publisher.headers["X-Key"] == "secret"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, b"", "it answered 503 Service Unavailable: look at its url and headers"),
        (200, b"<html>sign in</html>", "what came is no JSON"),
        (200, WZDX[:300], "what came is no JSON"),
    ],
)
async def test_a_publication_that_cannot_be_read_changes_nothing_and_says_why(
    publisher: Publisher, database: Database, status: int, body: bytes, why: str
) -> None:
    works = Followed(publisher.url, database, FeedKind.GEOJSON)
    await works.look()
    publisher.status, publisher.body, publisher.etag = status, body, '"new"'
    assert (await works.look()).startswith(why)
    conditions = await works.conditions()
    assert conditions is not None
    assert (len(conditions.closures), works.changes) == (1, 1)
    publisher.status, publisher.body = 200, WZDX
    assert await works.look() == ""


async def test_a_mistake_of_ours_in_one_feed_is_told_and_ends_nothing(
    publisher: Publisher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("not thought of")

    monkeypatch.setitem(READERS, FeedKind.GEOJSON, breaks)
    works = Followed(publisher.url, database, FeedKind.GEOJSON)
    assert await works.look() == "it could not be read: RuntimeError"
    monkeypatch.undo()
    assert await works.look() == ""


async def test_a_closure_to_the_end_of_time_is_kept(publisher: Publisher, database: Database) -> None:
    publisher.body = WZDX.replace(b"2026-11-30T18:00:00Z", b"9999-12-31T23:59:59-23:00")
    works = Followed(publisher.url, database, FeedKind.GEOJSON)
    assert await works.look() == ""
    conditions = await works.conditions()
    assert conditions is not None
    assert [closure.note for closure in conditions.closures] == ["Water main"]


async def test_nobody_there_is_said_in_words(database: Database) -> None:
    works = Followed("http://127.0.0.1:1/feed", database, FeedKind.GEOJSON)
    assert (await works.look()).startswith("it cannot be reached: ")


async def test_feeds_and_the_dispatcher_leave_each_other_s_closures_alone(
    publisher: Publisher, database: Database
) -> None:
    drawn = Closure(
        closure_id="drawn", line=((41.15, -8.61), (41.16, -8.61)), valid_from=NOW, valid_until=NOW + timedelta(days=1)
    )
    await database.write(lambda connection: save(connection, CLOSURES, drawn, NOW))
    works = Followed(publisher.url, database, FeedKind.GEOJSON)
    await works.look()
    publisher.body = PLAIN
    town = Followed(publisher.url, database, FeedKind.GEOJSON, name="town")
    await town.look()
    publisher.body, publisher.etag = b'{"type": "FeatureCollection", "features": []}', '"none"'
    await works.look()
    left = await works.conditions()
    assert left is not None
    assert sorted(closure.note for closure in left.closures) == ["", "Ponte", "Ponte"]
    assert await database.write(lambda connection: lift(connection, CLOSURES, "drawn", NOW))


async def test_what_is_far_from_the_depot_is_not_taken(publisher: Publisher, database: Database) -> None:
    publisher.body = DATEX2_V3
    assert await (far := Followed(publisher.url, database, FeedKind.DATEX2)).look() == ""
    assert await far.conditions() is None


async def test_the_weather_ahead_reaches_the_conditions_and_goes_with_time(
    publisher: Publisher, database: Database
) -> None:
    publisher.body = OPEN_METEO
    sky = Followed(publisher.url, database, FeedKind.OPEN_METEO, name="sky")
    assert await sky.look() == ""
    conditions = await sky.conditions()
    assert conditions is not None
    assert [hour.weather for hour in conditions.weather][:2] == [Weather.RAIN, Weather.HEAVY_RAIN]
    sky.at = NOW + timedelta(hours=2)
    later = await sky.conditions()
    assert later is not None
    assert [hour.weather for hour in later.weather] == [Weather.SNOW, Weather.ICE, Weather.FOG]
    assert await sky.look() == ""
    assert sky.changes == 1
