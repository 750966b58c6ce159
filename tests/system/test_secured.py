"""The link and the console, secured: a real coordinator, a real mosquitto, the van's own code on the other side."""

import asyncio
import os
import re
import signal
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from agent.errors import EnrolmentError
from agent.identity.enrol import renew
from agent.identity.tls import pinned
from cloud.api.access import POLICY, Who
from cloud.identity.certificates import client_certificate, key_pem, new_authority, new_key, pem_of
from tests.system.secured import Coordinator, a_link, next_event, nothing_arrives
from wire import topics
from wire.enrolment import parse_token
from wire.mqtt import Connected, Disconnected, MqttLink, Secure

pytestmark = pytest.mark.system
EVERYTHING = "rm/1/#"


# The broker ----------------------------------------------------------------------------------------------------------


async def test_nobody_speaks_to_the_broker_without_tls_or_without_a_certificate(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    async with a_link(coordinator.broker_port, "van-1", None) as link:
        assert isinstance(await next_event(link), Disconnected)

    authority = (coordinator.folder / "data" / "authority" / "authority.pem").read_text()
    nameless = MqttLink(
        host="127.0.0.1",
        port=coordinator.broker_port,
        client_id="van-1",
        secure=lambda: Secure(pinned(authority)),
    )
    nameless.start()
    assert isinstance(await next_event(nameless), Disconnected)
    await nameless.close()


async def test_a_certificate_of_another_authority_is_refused(coordinator: Coordinator, tmp_path: Path) -> None:
    ours = (coordinator.folder / "data" / "authority" / "authority.pem").read_text()
    stranger, key = new_authority("town", datetime.now(UTC)), new_key()
    certificate = client_certificate(stranger, "van-1", key.public_key(), datetime.now(UTC))
    (tmp_path / "c.pem").write_bytes(pem_of(certificate))
    (tmp_path / "c.key").write_bytes(key_pem(key))
    context = pinned(ours)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "c.key")

    link = MqttLink(host="127.0.0.1", port=coordinator.broker_port, client_id="van-1", secure=lambda: Secure(context))
    link.start()
    assert isinstance(await next_event(link), Disconnected)
    await link.close()


async def test_old_tls_is_refused_by_broker_and_console(coordinator: Coordinator) -> None:
    for port in (coordinator.broker_port, coordinator.http_port):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def test_a_van_writes_and_reads_its_own_topics_and_no_other_vans(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    one, two = coordinator.van("van-1", tmp_path), coordinator.van("van-2", tmp_path)
    other = topics.RECEIPTS.of("town", "van-2")
    async with (
        a_link(coordinator.broker_port, "van-1", one, topics.PRESENCE.of("town", "van-1"), EVERYTHING) as first,
        a_link(coordinator.broker_port, "van-2", two, other) as second,
    ):
        assert isinstance(await next_event(first), Connected)
        assert isinstance(await next_event(second), Connected)
        # Into the other's mailbox, in the coordinator's voice; and as the other van.
        assert first.publish(other, b"forged", qos=1)
        assert first.publish(topics.EVENTS.of("town", "van-2"), b"forged", qos=1)
        # Whatever it listens to, it hears only what is for it: van-2's own words do not reach van-1.
        assert second.publish(topics.PRESENCE.of("town", "van-2"), b"{}", qos=1, retain=True)
        assert second.publish(topics.ELSEWHERE.of("town", "van-1"), b"forged", qos=1, retain=True)
        assert await nothing_arrives(second)
        assert await nothing_arrives(first)


async def test_the_name_a_client_gives_itself_does_not_count(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-3", tmp_path)
    async with a_link(coordinator.broker_port, "van-4", van, topics.RECEIPTS.of("town", "van-4")) as link:
        assert isinstance(await next_event(link), Connected)
        assert link.publish(topics.EVENTS.of("town", "van-4"), b"forged", qos=1)
        assert await nothing_arrives(link)


async def test_a_second_device_with_the_same_certificate_throws_the_first_out(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    van = coordinator.van("van-3", tmp_path)
    async with a_link(coordinator.broker_port, "van-3", van) as first:
        assert isinstance(await next_event(first), Connected)
        async with a_link(coordinator.broker_port, "another-name", van) as clone:
            assert isinstance(await next_event(clone), Connected)
            assert isinstance(await next_event(first), Disconnected)


async def test_a_revoked_van_loses_its_live_session_within_a_minute_and_does_not_come_back(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    bad, good = coordinator.van("van-5", tmp_path), coordinator.van("van-6", tmp_path)
    async with (
        a_link(coordinator.broker_port, "van-5", bad) as ended,
        a_link(coordinator.broker_port, "van-6", good) as other,
    ):
        assert isinstance(await next_event(ended), Connected)
        assert isinstance(await next_event(other), Connected)
        pid = coordinator.broker_pid

        await asyncio.to_thread(coordinator.typed, "revoke", "van-5")
        began_s = time.monotonic()

        assert isinstance(await next_event(ended, 60), Disconnected)
        ended_after_s = time.monotonic() - began_s
        assert isinstance(await next_event(other, 60), Disconnected)
        gone_s = time.monotonic()
        assert isinstance(await next_event(other), Connected)
        away_s = time.monotonic() - gone_s
        assert coordinator.broker_pid != pid
        assert await nothing_arrives(ended, 5)
        print(f"revoked: session ended after {ended_after_s:.1f} s; another van was away for {away_s:.2f} s")
    with pytest.raises(EnrolmentError, match="revoked"):
        renew(bad, "van-5")


# The console ---------------------------------------------------------------------------------------------------------


async def test_the_console_is_https_of_the_same_authority_and_asks_who_is_there(coordinator: Coordinator) -> None:
    trusted = pinned((coordinator.folder / "data" / "authority" / "authority.pem").read_text())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as browser:
        async with browser.get(f"{coordinator.url}/api/picture") as answer:
            assert answer.status == 401
        async with browser.get(f"{coordinator.url}/api/renew") as answer:
            assert answer.status == 401
        async with browser.post(f"{coordinator.url}/api/renew", headers={"X-Roundsman": "1"}) as answer:
            assert answer.status == 403
        async with browser.get(f"{coordinator.url}/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_a_vans_certificate_opens_nothing_that_is_for_people(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-2", tmp_path).secure().context
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=van)) as client:
        for path, rule in POLICY.items():
            if rule is Who.PERSON:
                method, url = path[0], coordinator.url + re.sub(r"\{\w+\}", "1", path[1])
                async with client.request(method, url, headers={"X-Roundsman": "1"}, allow_redirects=False) as answer:
                    assert answer.status in (401, 303), path


async def test_secrets_are_in_no_log(coordinator: Coordinator) -> None:
    token = parse_token(coordinator.typed("enrol", "van-8"))
    logs = b"".join(path.read_bytes() for path in (coordinator.folder / "data" / "log").iterdir())
    logs += coordinator.log.read_bytes()
    assert token.text().encode() not in logs
    assert b"PRIVATE KEY" not in logs
    kept = coordinator.folder / "data" / "authority"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.iterdir())


async def test_a_broker_that_is_killed_comes_back_with_its_locks_on(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-7", tmp_path)
    os.kill(coordinator.broker_pid, signal.SIGKILL)
    async with a_link(coordinator.broker_port, "van-7", van) as link:
        event = await next_event(link)
        while not isinstance(event, Connected):
            event = await next_event(link)
    async with a_link(coordinator.broker_port, "van-7", None) as link:
        assert isinstance(await next_event(link), Disconnected)
