"""What is written down about tokens, certificates, people, sessions, and who did what: `authority/identity.db`.

A file of its own, apart from the coordinator's database: the command line writes here while the coordinator runs, and
that database has one writer, ever. So the journal is SQLite's old one, which any number of processes may share.
Secrets are stored as hashes only. Times are the machine's own, never the domain's.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cloud.errors import StoreError
from cloud.identity.rules import TokenRow

SCHEMA = 1
BUSY_TIMEOUT_S = 5.0
_TABLES = """
CREATE TABLE tokens (
    secret_sha256 TEXT PRIMARY KEY, van TEXT NOT NULL, expires_ms INTEGER NOT NULL, used_by TEXT) STRICT;
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY, van TEXT NOT NULL, device TEXT NOT NULL, made_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL, revoked_ms INTEGER) STRICT;
CREATE INDEX ix_certificates_van ON certificates (van);
CREATE TABLE people (name TEXT PRIMARY KEY, password TEXT NOT NULL, made_ms INTEGER NOT NULL) STRICT;
CREATE TABLE sessions (
    sha256 TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES people (name), expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE audit (
    entry INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL, did TEXT NOT NULL,
    about TEXT NOT NULL, address TEXT NOT NULL) STRICT;
"""


class Register:
    """Used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it, on disk when the block ends, or nothing. Raises StoreError when the disk will not."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()
        except sqlite3.OperationalError as error:
            raise StoreError(f"the register of keys and people cannot be used now: {error}") from error

    def close(self) -> None:
        self._connection.close()


def open_register(path: Path) -> Register:
    """Made when missing. Raises StoreError."""
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.commit()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} cannot be used as the register of keys and people: {error}") from error
    if version > SCHEMA:
        raise StoreError(f"{path} was written by a newer Roundsman: start that version")
    return Register(connection)


# Tokens and certificates ----------------------------------------------------------------------------------------------


def add_token(conn: sqlite3.Connection, secret_sha256: str, van: str, expires_at: datetime) -> None:
    """A new token ends the ones before it that nobody used."""
    conn.execute("DELETE FROM tokens WHERE van = ? AND used_by IS NULL", (van,))
    conn.execute("INSERT INTO tokens VALUES (?, ?, ?, NULL)", (secret_sha256, van, _ms(expires_at)))


def find_token(conn: sqlite3.Connection, secret_sha256: str) -> TokenRow | None:
    row = conn.execute(
        "SELECT van, expires_ms, used_by FROM tokens WHERE secret_sha256 = ?", (secret_sha256,)
    ).fetchone()
    return None if row is None else TokenRow(van=row[0], expires_at=_instant(row[1]), used_by=row[2])


def use_token(conn: sqlite3.Connection, secret_sha256: str, device: str) -> None:
    conn.execute("UPDATE tokens SET used_by = ? WHERE secret_sha256 = ?", (device, secret_sha256))


def drop_tokens(conn: sqlite3.Connection, van: str) -> None:
    conn.execute("DELETE FROM tokens WHERE van = ?", (van,))


def add_certificate(
    conn: sqlite3.Connection, serial: str, van: str, device: str, *, made_at: datetime, ends_at: datetime
) -> None:
    row = (serial, van, device, _ms(made_at), _ms(ends_at))
    conn.execute("INSERT INTO certificates VALUES (?, ?, ?, ?, ?, NULL)", row)


def is_good(conn: sqlite3.Connection, serial: str, van: str) -> bool:
    """Whether we issued this certificate to this van and did not revoke it."""
    row = conn.execute(
        "SELECT 1 FROM certificates WHERE serial = ? AND van = ? AND revoked_ms IS NULL", (serial, van)
    ).fetchone()
    return row is not None


def revoke(conn: sqlite3.Connection, van: str, now: datetime, *, except_device: str = "") -> int:
    """Revokes the van's certificates that still hold, but those of one device; how many there were."""
    done = conn.execute(
        "UPDATE certificates SET revoked_ms = ? WHERE van = ? AND device <> ? AND revoked_ms IS NULL AND ends_ms > ?",
        (_ms(now), van, except_device, _ms(now)),
    )
    return done.rowcount


def ends_of_vans(conn: sqlite3.Connection) -> dict[str, datetime]:
    """Until when each van that was enrolled, and not revoked, has a certificate; in the past for one that ended."""
    rows = conn.execute("SELECT van, max(ends_ms) FROM certificates WHERE revoked_ms IS NULL GROUP BY van")
    return {van: _instant(ends_ms) for van, ends_ms in rows}


def revoked(conn: sqlite3.Connection, now: datetime) -> Sequence[tuple[str, datetime]]:
    """(serial, since) of what would still hold if it were not revoked."""
    rows = conn.execute(
        "SELECT serial, revoked_ms FROM certificates WHERE revoked_ms IS NOT NULL AND ends_ms > ? ORDER BY serial",
        (_ms(now),),
    )
    return [(serial, _instant(since_ms)) for serial, since_ms in rows]


# People and sessions --------------------------------------------------------------------------------------------------


def has_people(conn: sqlite3.Connection) -> bool:
    return conn.execute("SELECT 1 FROM people LIMIT 1").fetchone() is not None


def set_password(conn: sqlite3.Connection, name: str, hashed: str, now: datetime) -> None:
    """A new person, or a new password; with a new password all sessions of the person end."""
    conn.execute("DELETE FROM sessions WHERE person = ?", (name,))
    conn.execute(
        "INSERT INTO people VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET password = excluded.password",
        (name, hashed, _ms(now)),
    )


def password_of(conn: sqlite3.Connection, name: str) -> str | None:
    row = conn.execute("SELECT password FROM people WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def add_session(conn: sqlite3.Connection, sha256: str, person: str, expires_at: datetime, now: datetime) -> None:
    """Those that are over are forgotten on the way."""
    conn.execute("DELETE FROM sessions WHERE expires_ms <= ?", (_ms(now),))
    conn.execute("INSERT INTO sessions VALUES (?, ?, ?)", (sha256, person, _ms(expires_at)))


def person_of(conn: sqlite3.Connection, sha256: str, now: datetime) -> str | None:
    row = conn.execute("SELECT person FROM sessions WHERE sha256 = ? AND expires_ms > ?", (sha256, _ms(now))).fetchone()
    return None if row is None else str(row[0])


def drop_session(conn: sqlite3.Connection, sha256: str) -> None:
    conn.execute("DELETE FROM sessions WHERE sha256 = ?", (sha256,))


# Audit ----------------------------------------------------------------------------------------------------------------


def note(conn: sqlite3.Connection, now: datetime, *, who: str, did: str, about: str, address: str) -> None:
    """One line of who did what; nothing secret goes in."""
    entry = (_ms(now), who[:64], did, about[:200], address)
    conn.execute("INSERT INTO audit (at_ms, who, did, about, address) VALUES (?, ?, ?, ?, ?)", entry)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
