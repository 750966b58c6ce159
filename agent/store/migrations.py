"""The tables, as steps that are never edited once released: `user_version` counts how many a file has taken."""

from collections.abc import Callable

from agent.errors import StoreError, StoreErrorKind
from agent.store import chain, memory, trail
from agent.store.database import Database

type Statement = str | Callable[[Database], None]

_FIRST = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    # One row a life of this store; a store found restored from a copy begins a new one (see `meta.py`).
    """CREATE TABLE epochs (
        epoch_id INTEGER PRIMARY KEY AUTOINCREMENT,
        epoch    TEXT NOT NULL UNIQUE
    ) STRICT""",
    # What entered, in order. `body` is the input as JSON; for kind "fixes" a list of [at_ms, input].
    """CREATE TABLE inputs (
        input_id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms    INTEGER NOT NULL,
        kind     TEXT NOT NULL,
        body     TEXT NOT NULL
    ) STRICT""",
    # The answer given to a tap, so that the same tap sent again is answered and not done again.
    """CREATE TABLE taps (
        tap_id       TEXT PRIMARY KEY,
        request_hash TEXT NOT NULL,
        saved_ms     INTEGER NOT NULL,
        input_id     INTEGER NOT NULL REFERENCES inputs
    ) STRICT, WITHOUT ROWID""",
    # The day as it is now: one row, JSON under zstd (a run of 150 stops is 100 kB plain, and is written each minute).
    "CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1), json_zstd BLOB NOT NULL) STRICT",
    # `next_seq` lives apart from the rows: a seq is never given twice, also when all rows are purged.
    """CREATE TABLE lanes (
        epoch_id INTEGER NOT NULL REFERENCES epochs,
        lane     TEXT NOT NULL,
        next_seq INTEGER NOT NULL,
        PRIMARY KEY (epoch_id, lane)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE outbox (
        epoch_id     INTEGER NOT NULL REFERENCES epochs,
        lane         TEXT NOT NULL,
        seq          INTEGER NOT NULL,
        record       TEXT NOT NULL,
        created_ms   INTEGER NOT NULL,
        receipted_ms INTEGER,
        PRIMARY KEY (epoch_id, lane, seq)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX outbox_waiting ON outbox (lane, epoch_id, seq) WHERE receipted_ms IS NULL",
    "CREATE INDEX outbox_receipted ON outbox (receipted_ms) WHERE receipted_ms IS NOT NULL",
    """CREATE TABLE blobs (
        sha256     TEXT PRIMARY KEY,
        kind       TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        whole_ms   INTEGER
    ) STRICT""",
    # Apart from the row that is updated: SQLite writes a whole row anew, and these are 150 kB.
    "CREATE TABLE blob_bytes (sha256 TEXT PRIMARY KEY REFERENCES blobs ON DELETE CASCADE, bytes BLOB NOT NULL) STRICT",
)

# From here on `created_ms`, `receipted_ms` and `whole_ms` are ages by the clock that never jumps (`Clock.age_ms`).
_AGES = (
    "UPDATE outbox SET created_ms = 0, receipted_ms = iif(receipted_ms IS NULL, NULL, 0)",
    "UPDATE blobs SET created_ms = 0, whole_ms = iif(whole_ms IS NULL, NULL, 0)",
)

# A minute of fixes is 15 kB of JSON that says much the same sixty times: for kind "fixes" it is packed, `body` empty.
_PACKED_FIXES = "ALTER TABLE inputs ADD COLUMN body_zstd BLOB"
# What `run` is told as a difference from: see `runs.py`. Without a row there, `run` stands for itself.
_RUN_BASE = "CREATE TABLE run_base (id INTEGER PRIMARY KEY CHECK (id = 1), json_zstd BLOB NOT NULL) STRICT"
# How long an input is kept goes by age too; those that are there already have none, so that no row is written anew.
_INPUT_AGES = "ALTER TABLE inputs ADD COLUMN age_ms INTEGER"

# The track moves out of `outbox`, which was a row for each second of it.
_TRAIL = (*trail.TABLE, trail.take_over)

# `memory.TABLES`: what days driven taught stays when the day is over.
STEPS: tuple[tuple[Statement, ...], ...] = (
    _FIRST,
    _AGES,
    (_PACKED_FIXES, _RUN_BASE),
    (_INPUT_AGES,),
    _TRAIL,
    memory.TABLES,
    (chain.COLUMN,),
)


def migrate(database: Database) -> None:
    """Brings a file to the newest version, a transaction a step.

    Raises StoreError when it was written by a newer agent: nothing is touched then.
    """
    ((version,),) = database.execute("PRAGMA user_version")
    assert isinstance(version, int)
    if version > len(STEPS):
        raise StoreError(
            StoreErrorKind.IO,
            f"{database.path}: written by a newer agent (version {version}, this one knows {len(STEPS)}); "
            "start that agent, or move the file away",
        )
    for number in range(version, len(STEPS)):
        with database.transaction():
            take_step(database, number)
            database.execute(f"PRAGMA user_version = {number + 1}")


def take_step(database: Database, number: int) -> None:
    """One of the steps, counted from 0, within the caller's transaction."""
    for statement in STEPS[number]:
        if isinstance(statement, str):
            database.execute(statement)
        else:
            statement(database)
