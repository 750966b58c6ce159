"""Names from outside that would mean something to a file system, a broker, a database or a page are refused."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from cloud.config import CloudSettings
from tests.cloud.api.world import CHANGE, a_world
from wire.model import Epoch, Name, Sha256, StopId

HOSTILE = ["..", "../x", "a/b", "+", "#", "a\x00", "a\n", " a", "<b>", "' OR 1=1 --", "=1+1", "$SYS", "a" * 200]
ROUTES = [
    ("GET", "/api/vans/{}/route"),
    ("GET", "/api/stops/{}"),
    ("GET", "/api/blobs/{}"),
    ("POST", "/api/orders/{}/cancel"),
    ("DELETE", "/api/closures/{}"),
    ("DELETE", "/api/speeds/{}"),
    ("GET", "/tiles/1/0/{}.pbf"),
]


@pytest.mark.parametrize("kind", [Name, StopId, Sha256, Epoch], ids=["van or fleet", "stop", "hash", "epoch"])
@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_no_message_carries_a_name_that_is_none(kind: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](kind).validate_python(text)


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_neither_a_van_nor_a_fleet_is_called_so_in_the_settings(text: str) -> None:
    for fleet, van in (("town", text), (text, "van-1")):
        vans = [{"name": van, "driver": "Ana"}]
        settings = {"fleet": fleet, "data_dir": "x", "depot": {"lat_deg": 1, "lon_deg": 1}, "vans": vans}
        with pytest.raises(ValidationError):
            CloudSettings.model_validate(settings)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_route_takes_one_for_something_that_is_there(tmp_path: Path, method: str, path: str) -> None:
    async with a_world(tmp_path) as world:
        for text in HOSTILE:
            url = URL(path.format(quote(text, safe="")), encoded=True)
            async with world.client.request(method, url, headers=CHANGE) as answer:
                assert answer.status in (400, 404, 405), (text, answer.status)
