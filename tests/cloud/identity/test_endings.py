"""What is about to end is told to a person, and only then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.config import CloudSettings
from cloud.doors import Doors, open_doors
from cloud.fleet.view import EndingKind
from cloud.identity import office
from cloud.identity.certificates import new_key
from cloud.identity.endings import endings
from cloud.identity.register import open_register
from tests.cloud.identity.test_office import csr
from wire.enrolment import Enrolled

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FAR = NOW + timedelta(days=3000)


def found(days: int, *, what: str) -> list[tuple[EndingKind, str | None, int]]:
    """The endings when one thing ends in so many days, and the others in years."""
    ends = dict.fromkeys(("servers", "authority", "revoked_list"), FAR)
    at = NOW + timedelta(days=days)
    vans = {"van-1": at if what == "van" else FAR}
    told = endings(vans=vans, **(ends | ({} if what == "van" else {what: at})), now=NOW)
    return [(ending.kind, ending.van, ending.days_left) for ending in told]


@pytest.mark.parametrize(
    ("what", "kind", "quiet_days", "told_days"),
    [
        ("van", EndingKind.VAN_CERTIFICATE, 9, 6),
        ("servers", EndingKind.SERVER_CERTIFICATE, 100, 59),
        ("authority", EndingKind.AUTHORITY, 400, 300),
        ("revoked_list", EndingKind.REVOKED_LIST, 29, 5),
    ],
)
def test_what_is_renewed_in_time_is_never_told_and_what_is_not_is_told_with_time_to_spare(
    what: str, kind: EndingKind, quiet_days: int, told_days: int
) -> None:
    van = "van-1" if what == "van" else None
    assert found(quiet_days, what=what) == []
    assert found(told_days, what=what) == [(kind, van, told_days)]
    assert found(-3, what=what) == [(kind, van, -3)]


def test_the_soonest_comes_first() -> None:
    ends = {"van-1": NOW + timedelta(days=5), "van-2": NOW + timedelta(days=1)}
    told = endings(vans=ends, servers=FAR, authority=FAR, revoked_list=FAR, now=NOW)
    assert [ending.van for ending in told] == ["van-2", "van-1"]


class Calendar:
    """The machine's time, moved on by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def settings(tmp_path: Path) -> CloudSettings:
    vans = [{"name": name, "driver": "Ana"} for name in ("van-1", "van-2", "van-3")]
    depot = {"lat_deg": 41.15, "lon_deg": -8.61}
    return CloudSettings.model_validate({"fleet": "town", "data_dir": tmp_path, "depot": depot, "vans": vans})


async def enrolled(doors: Doors, van: str, now: datetime) -> None:
    book = open_register(doors.desk.home.register_path)
    token = office.make_token(doors.desk.home.authority, book, van, now)
    book.close()
    assert isinstance(await doors.desk.enrol(token, csr(new_key()), "10.0.0.7"), Enrolled)


async def test_after_twenty_five_days_a_van_that_did_not_renew_is_told_and_one_that_did_is_not(
    settings: CloudSettings,
) -> None:
    calendar = Calendar()
    doors = await open_doors(settings, calendar)
    await enrolled(doors, "van-1", calendar.at)
    calendar.at += timedelta(days=20)
    await enrolled(doors, "van-2", calendar.at)
    assert await doors.endings() == ()

    calendar.at += timedelta(days=5)
    told = await doors.endings()

    # Nobody wrote the list of revoked ones for all that time, either: this coordinator was not tended.
    assert [(ending.kind, ending.van, ending.days_left) for ending in told] == [
        (EndingKind.REVOKED_LIST, None, 5),
        (EndingKind.VAN_CERTIFICATE, "van-1", 5),
    ]
    await doors.freshen()
    assert [ending.van for ending in await doors.endings()] == ["van-1"]
    doors.desk.close()


async def test_a_van_that_was_revoked_or_that_left_the_fleet_is_not_told(settings: CloudSettings) -> None:
    calendar = Calendar()
    doors = await open_doors(settings, calendar)
    await enrolled(doors, "van-1", calendar.at)
    await enrolled(doors, "van-9", calendar.at)
    book = open_register(doors.desk.home.register_path)
    office.revoke(book, "van-1", "ana", "10.0.0.7", calendar.at)
    book.close()
    calendar.at += timedelta(days=29)
    await doors.freshen()
    assert await doors.endings() == ()
    doors.desk.close()
