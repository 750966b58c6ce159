"""Looks whether what was sealed holds, of every stop that a van closes, soon after it is stored.

Beside the ingest and not within it: a receipt never waits for a signature to be checked, and nothing is refused. While
more comes in, as when a van brings what it kept for hours, it looks at a few stops a second and at the others when that
is over. What does not hold is said in the log and is an alarm of the van.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from cloud.errors import StoreError
from cloud.proof.inventory import Stater
from cloud.proof.model import Item, Proof, Verdict, Verification
from cloud.proof.verify import Checks, verify
from cloud.store.altered import note_altered
from cloud.store.blobs import whole_blob
from cloud.store.database import Database
from cloud.store.proofs import proof_of
from cloud.store.records import Changes

log = logging.getLogger(__name__)

QUIET_S = 0.25
"""So long after something was heard, nothing more is taken to be on its way."""
PACE_S = 0.5
REST_SHARE = 20.0
"""While it is: one look in so long, and a rest so many times as long as the look before it took. Most take 3 ms; at a
stop that is corrected after a day, half a second.
"""


class ProofDesk:
    """What a stop's proof is worth, as it is stored now."""

    def __init__(self, *, fleet: str, timezone: str, checks: Checks, stater: Stater, authority_pem: str = "") -> None:
        self._fleet, self._timezone, self._stater = fleet, timezone, stater
        self._checks, self._authority_pem = checks, authority_pem
        self.authority_sha256 = checks.fingerprint(authority_pem)

    def proof(self, connection: Connection, stop_id: str) -> Proof | None:
        """None for a stop that nobody knows."""
        return proof_of(
            connection,
            stop_id,
            fleet=self._fleet,
            timezone=self._timezone,
            authority_pem=self._authority_pem,
            stater=self._stater,
        )

    def verify(self, connection: Connection, proof: Proof) -> Verification:
        def held(item: Item) -> bytes | None:
            return whole_blob(connection, item.sha256)

        return verify(proof, held, self._checks)


class ProofWatch:
    """`run` works until cancelled."""

    def __init__(
        self, desk: ProofDesk, database: Database, now: Callable[[], datetime], tell: Callable[[Changes], None]
    ) -> None:
        self._desk, self._database, self._now, self._tell = desk, database, now, tell
        self._waiting: dict[str, None] = {}
        self._woken = asyncio.Event()
        self._is_looking = False
        self._heard_s = 0.0
        self._took_s = 0.0

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting) or self._is_looking

    def note(self, changes: Changes) -> None:
        """Stops of which something new was heard."""
        self._heard_s = time.monotonic()
        self._waiting |= dict.fromkeys(sorted(changes.stops))
        if self._waiting:
            self._woken.set()

    async def run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                if time.monotonic() - self._heard_s < QUIET_S:
                    await asyncio.sleep(max(PACE_S, REST_SHARE * self._took_s))
                stop_id = next(iter(self._waiting))
                del self._waiting[stop_id]
                self._is_looking = True
                began_s = time.monotonic()
                try:
                    await self._look(stop_id)
                except StoreError as error:
                    log.error("the proof of %s could not be looked at: %s", stop_id, error)
                except Exception:
                    # What a van says is looked at here: no stop of one van may end the look at all the others.
                    log.exception("the proof of %s could not be looked at", stop_id)
                finally:
                    self._took_s = time.monotonic() - began_s
                    self._is_looking = False

    async def _look(self, stop_id: str) -> None:
        def read(connection: Connection) -> tuple[Proof, Verification] | None:
            proof = self._desk.proof(connection, stop_id)
            return None if proof is None else (proof, self._desk.verify(connection, proof))

        looked = await self._database.read(read)
        if looked is None or looked[1].verdict is not Verdict.ALTERED:
            return
        proof, found = looked
        van = found.sealed.van if found.sealed is not None else proof.strands[-1].van
        now = self._now()
        why = " ".join(one.text for one in found.findings if one.verdict is Verdict.ALTERED)
        if await self._database.write(lambda connection: note_altered(connection, stop_id, van, why, now)):
            log.error("the proof of %s does not hold: %s", stop_id, why)
            self._tell(Changes(vans={van}, stops={stop_id}))
