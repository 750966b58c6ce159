"""How a van gets its certificate, the next one, and back in when it was away for too long."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.x509 import load_pem_x509_certificates

from agent.errors import EnrolmentError
from agent.identity.badge import Badge
from agent.identity.enrol import enrol, renew
from agent.identity.tls import Credentials
from cloud.identity import register
from cloud.identity.certificates import client_certificate, key_sha256, pem_of, serial_of
from cloud.identity.home import open_home
from cloud.identity.register import open_register
from tests.agent.conftest import a_cab, begin_day, settings
from tests.builders import a_run, a_stop
from tests.system.secured import CHECKOUT, WITHIN_S, Coordinator, a_link, next_event, until
from wire.enrolment import new_token, parse_token
from wire.mqtt import Disconnected

pytestmark = pytest.mark.system


def test_the_two_commands_enrol_a_van(coordinator: Coordinator, tmp_path: Path) -> None:
    settings = tmp_path / "VAN.toml"
    settings.write_text(f'van = "van-8"\nfleet = "town"\ndata_dir = "{tmp_path}/van"\n')
    token = coordinator.typed("enrol", "van-8")
    done = subprocess.run(
        [sys.executable, "-m", "agent", "enrol", str(settings), token, coordinator.url],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )
    assert done.stdout.startswith("van-8: enrolled")
    files = [tmp_path / "van" / "identity" / name for name in ("device.key", "badge.pem")]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert (
        parse_token(token).secret_sha256.encode()
        in (coordinator.folder / "data" / "authority" / "identity.db").read_bytes()
    )


def test_a_token_is_good_for_one_device_and_again_for_the_same(coordinator: Coordinator, tmp_path: Path) -> None:
    token = coordinator.typed("enrol", "van-8")
    enrol(Badge(tmp_path / "a"), "van-8", token, coordinator.url)
    enrol(Badge(tmp_path / "a"), "van-8", token, coordinator.url)  # the answer was lost
    with pytest.raises(EnrolmentError, match="not good"):
        enrol(Badge(tmp_path / "b"), "van-8", token, coordinator.url)  # somebody read it over a shoulder
    assert not Badge(tmp_path / "b").path.exists()


def test_a_token_is_told_to_no_coordinator_but_its_own(coordinator: Coordinator, tmp_path: Path) -> None:
    token = new_token("van-8", os.urandom(32))
    with pytest.raises(EnrolmentError, match="Nothing was sent"):
        enrol(Badge(tmp_path), "van-8", token.text(), coordinator.url)


def test_the_certificate_is_renewed_over_mtls(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-8", tmp_path)
    before, key = van.badge.path.read_bytes(), van.badge.key_path.read_bytes()
    assert not van.is_renewal_due()
    assert Credentials(van.badge, clock=lambda: datetime.now(UTC) + timedelta(days=20)).is_renewal_due()

    renew(van, "van-8")

    assert van.badge.path.read_bytes() != before
    assert van.badge.key_path.read_bytes() == key


# Away for too long ---------------------------------------------------------------------------------------------------


def make_it_old(coordinator: Coordinator, badge: Badge, van: str, days: int) -> None:
    """The van's certificate as it would be if it had been issued that long ago."""
    made_at = datetime.now(UTC) - timedelta(days=days)
    home = open_home(coordinator.folder / "data", "town", made_at)
    own, _ = load_pem_x509_certificates(badge.path.read_bytes())
    key = own.public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    old = client_certificate(home.authority, van, key, made_at)
    badge.path.write_bytes(pem_of(old) + home.authority.pem)
    with closing(open_register(home.register_path)) as book, book.transaction() as conn:
        ends_at = old.not_valid_after_utc
        register.add_certificate(conn, serial_of(old), van, key_sha256(key), made_at=made_at, ends_at=ends_at)


async def test_a_van_whose_certificate_ended_is_refused_and_told_what_to_do(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    van = coordinator.van("van-6", tmp_path)
    make_it_old(coordinator, van.badge, "van-6", days=31)
    async with a_link(coordinator.broker_port, "van-6", van) as link:
        assert isinstance(await next_event(link), Disconnected)
    with pytest.raises(EnrolmentError, match=r"ended on .* enrol this van again .* What it has saved stays"):
        await asyncio.to_thread(renew, van, "van-6")


async def test_what_was_saved_while_a_certificate_ran_out_goes_up_once_the_van_is_enrolled_again(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    van = coordinator.van("van-6", tmp_path)
    make_it_old(coordinator, van.badge, "van-6", days=31)
    folder = tmp_path / "van-6"
    await begin_day(folder, a_run([a_stop(1)]))
    own = settings(folder, coordinator.broker_port, tls=True).model_copy(update={"van": "van-6"})
    async with a_cab(own) as cab:
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1"))[0] == 200
        await asyncio.sleep(3)
        assert (await cab.view())["link"]["waiting"] > 0

        token = await asyncio.to_thread(coordinator.typed, "enrol", "van-6")
        await asyncio.to_thread(enrol, van.badge, "van-6", token, coordinator.url)

        async def nothing_waits() -> bool:
            return bool((await cab.view())["link"]["waiting"] == 0)

        await until(nothing_waits)


async def test_a_certificate_past_two_thirds_of_its_life_is_renewed_by_the_running_agent(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    van = coordinator.van("van-6", tmp_path)
    make_it_old(coordinator, van.badge, "van-6", days=21)
    assert van.is_renewal_due()
    own = settings(tmp_path / "van-6", coordinator.broker_port, tls=True).model_copy(update={"van": "van-6"})

    async def is_renewed() -> bool:
        return not van.is_renewal_due()

    async with a_cab(own):
        await until(is_renewed)
