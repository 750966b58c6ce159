"""A dispatcher at the console: everything the simulator asks of the coordinator goes through its HTTP."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp

from simulator.report import CloudStop
from wire.manifest import Closure
from wire.model import Sha256, StopId

WRITE_HEADERS = {"X-Roundsman": "1"}
ANSWER_S = 10.0
BIG_ANSWER_S = 120.0
"""For a whole file of orders, on a machine that has other things to do."""
CLOSING_KINDS: Mapping[str, str] = {"stop.completed": "outcome", "stop.failed": "reason"}


class RefusedError(RuntimeError):
    """The coordinator answered, and said no; the text is its own."""


@dataclass(frozen=True)
class Account:
    """Who signs in at a console with TLS, and the authority it must be of."""

    name: str
    password: str
    authority_file: Path


class Dispatcher:
    """One session with the coordinator's API."""

    def __init__(self, base_url: str, account: Account | None = None) -> None:
        """`account`: None where nobody signs in."""
        self.base_url = base_url
        self._account = account
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def is_up(self) -> bool:
        """True when the coordinator answers and its broker runs."""
        try:
            health = await self._ask("GET", "/api/health")
        except (aiohttp.ClientError, OSError, TimeoutError, RefusedError):
            return False
        return bool(health.get("broker") == "up")

    async def import_orders(self, day: date, file: bytes) -> Any:
        """Hands in a file; good rows are taken, bad ones are named in the report. Raises RefusedError for no CSV."""
        path = f"/api/orders/import?dry_run=0&day={day}"
        return await self._ask("POST", path, body=file, content_type="text/csv", within_s=BIG_ANSWER_S)

    async def orders(self, day: date) -> str:
        """The day's orders as CSV, as the coordinator understood them."""
        async with self._client().get(f"{self.base_url}/api/orders?day={day}") as answer:
            if answer.status >= 400:
                raise RefusedError(await _why(answer))
            return await answer.text()

    async def assign(self, day: date) -> Any:
        return await self._ask("POST", f"/api/assign?day={day}", within_s=BIG_ANSWER_S)

    async def close_road(self, closure: Closure) -> None:
        await self._insist("POST", "/api/closures", closure.model_dump_json(by_alias=True).encode())

    async def picture(self) -> Any:
        return await self._ask("GET", "/api/picture")

    async def stop_page(self, stop_id: StopId) -> Any:
        return await self._ask("GET", f"/api/stops/{stop_id}")

    async def evidence(self, sha256: Sha256) -> bytes | None:
        """The bytes of a photo or signature; None while they are not whole."""
        async with self._client().get(f"{self.base_url}/api/blobs/{sha256}") as answer:
            return await answer.read() if answer.status == 200 else None

    async def _insist(self, method: str, path: str, body: bytes) -> None:
        """Ask again while the coordinator is down, as a person would; for requests that may safely arrive twice."""
        while True:
            try:
                await self._ask(method, path, body=body)
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(0.5)
            else:
                return

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/json",
        within_s: float = ANSWER_S,
        *,
        is_again: bool = False,
    ) -> Any:
        headers = {**WRITE_HEADERS, "Content-Type": content_type} if method != "GET" else {}
        limit = aiohttp.ClientTimeout(total=within_s)
        async with self._client().request(
            method, self.base_url + path, data=body or None, headers=headers, timeout=limit
        ) as answer:
            if answer.status == 401 and self._account is not None and not is_again:
                await self._sign_in(self._account.name, self._account.password)
                return await self._ask(method, path, body, content_type, within_s, is_again=True)
            if answer.status >= 400:
                raise RefusedError(await _why(answer))
            return await answer.json()

    async def _sign_in(self, name: str, password: str) -> None:
        async with self._client().post(
            f"{self.base_url}/login",
            data={"name": name, "password": password},
            headers={"Origin": self.base_url},
            allow_redirects=False,
        ) as answer:
            if answer.status != 303:
                raise RefusedError(f"signing in as {name}: {answer.status}")

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            authority = self._account and ssl.create_default_context(cafile=str(self._account.authority_file))
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=ANSWER_S),
                connector=aiohttp.TCPConnector(ssl=authority or True),
                cookie_jar=aiohttp.CookieJar(unsafe=True),  # of a host that is an address and no name
            )
        return self._session


async def _why(answer: aiohttp.ClientResponse) -> str:
    """Its own words where it has some."""
    text = await answer.text()
    try:
        words = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        words = text
    return f"{answer.method} {answer.url.path}: {answer.status} {words}"


def cloud_stop(page: Mapping[str, Any]) -> CloudStop:
    """What a stop page says was stored: one entry for each closing record and each record of evidence."""
    kinds = [row["kind"] for row in page["history"]]
    results = tuple(str(page["stop"][CLOSING_KINDS[kind]]) for kind in kinds if kind in CLOSING_KINDS)
    proofs = [(proof["kind"], proof["sha256"]) for proof in page["evidence"]]
    announced_again = kinds.count("proof.captured") - len(proofs)
    return CloudStop(results, tuple(proofs + proofs[:1] * max(0, announced_again)))
