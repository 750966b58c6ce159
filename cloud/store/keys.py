"""The keys by which vans seal what they say: what each announced itself, over its own connection. Every one is kept."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, insert, select, update

from cloud.proof.model import KeyStatement
from cloud.store.instants import from_ms, to_ms
from cloud.store.tables import van_keys
from wire.codec import WireError, loads
from wire.events import KeyAnnounced
from wire.seal import SealError, seal_of


def add_key(connection: Connection, chain: tuple[str, str], seq: int, *, record: str, received_at: datetime) -> None:
    """Keeps a key that a van announced in a record (its text); those it had before end now."""
    announced = _announced(_said(record))
    if announced is None:
        return
    van, epoch = chain
    mine = van_keys.c.van == van
    others = mine & (van_keys.c.public_key != announced.public_key) & van_keys.c.until_ms.is_(None)
    connection.execute(update(van_keys).where(others).values(until_ms=to_ms(received_at)))
    connection.execute(
        insert(van_keys).values(
            van=van,
            epoch=epoch,
            seq=seq,
            public_key=announced.public_key,
            certificate_pem=announced.certificate_pem,
            vouched=announced.vouched,
            since_ms=to_ms(received_at),
        )
    )


def _announced(record: Any) -> KeyAnnounced | None:
    """A key that signed its own announcement; a record that a copied store says again is signed by another."""
    try:
        seal, announced = seal_of(record), KeyAnnounced.model_validate(record["body"])
    except (SealError, ValidationError, TypeError, KeyError, AttributeError):
        return None
    return announced if seal is not None and seal.key == announced.public_key else None


def keys_of(connection: Connection, van: str) -> tuple[KeyStatement, ...]:
    """Every key that a van ever announced, in the order they came."""
    rows = connection.execute(
        select(van_keys).where(van_keys.c.van == van).order_by(van_keys.c.since_ms, van_keys.c.epoch, van_keys.c.seq)
    )
    return tuple(_key(row) for row in rows)


def _key(row: Row[Any]) -> KeyStatement:
    return KeyStatement(
        van=row.van,
        epoch=row.epoch,
        public_key=row.public_key,
        certificate_pem=row.certificate_pem,
        vouched=row.vouched,
        since=from_ms(row.since_ms),
        until=None if row.until_ms is None else from_ms(row.until_ms),
    )


def _said(text: str) -> Any:
    try:
        return loads(text.encode())
    except WireError:
        return None
