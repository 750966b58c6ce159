"""What vans sealed, looked at with the coordinator's own eyes when all is over: it holds, whatever happened."""

from collections.abc import Iterable

from sqlalchemy import Connection

from cloud.identity.seals import SealChecks
from cloud.proof.model import Item, Verdict, Verification
from cloud.proof.verify import verify
from cloud.store.blobs import whole_blob
from cloud.store.proofs import proof_of
from tests.sealing import a_stater

STATER = a_stater()
"""The coordinator's key. Nobody needs a certificate here."""


def look(connection: Connection, stop_id: str) -> Verification | None:
    """None for a stop that nobody heard of."""

    def held(item: Item) -> bytes | None:
        return whole_blob(connection, item.sha256)

    proof = proof_of(connection, stop_id, fleet="town", timezone="UTC", authority_pem="", stater=STATER)
    return None if proof is None else verify(proof, held, SealChecks())


def broken(connection: Connection, closed: Iterable[str]) -> list[str]:
    """What does not hold of these stops, each of which a driver was told is closed."""
    troubles = []
    for stop_id in closed:
        found = look(connection, stop_id)
        if found is None or found.sealed is None:
            troubles.append(f"{stop_id} is closed, and nobody sealed it")
        elif found.verdict is Verdict.ALTERED:
            troubles.append(f"the proof of {stop_id} does not hold: {found.findings[0].text}")
    return troubles
