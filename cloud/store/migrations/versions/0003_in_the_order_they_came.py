"""What was heard of a stop is kept as it was said, and its state is folded when it is read; evidence that is missing is
remembered in the order in which it was named.
"""

import json
from itertools import batched

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 5_000


def upgrade() -> None:
    op.drop_table("stop_states")
    op.create_table(
        "stop_facts",
        sa.Column("stop_id", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stop_id", name="pk_stop_facts"),
    )
    _take_facts_from_records()
    op.drop_index("ix_wanted_blobs_van", "wanted_blobs")
    op.rename_table("wanted_blobs", "wanted_before")
    op.create_table(
        "wanted_blobs",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("named_ms", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("van", "named_ms", "sha256", name="pk_wanted_blobs_in_order"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO wanted_blobs (van, named_ms, sha256) SELECT van, named_ms, sha256 FROM wanted_before")
    op.drop_table("wanted_before")


def _take_facts_from_records() -> None:
    connection = op.get_bind()
    said = connection.execute(
        sa.text(
            "SELECT stop_id, van, epoch, seq, captured_ms, anchored_ms, received_ms, kind, record FROM records "
            "WHERE stop_id IS NOT NULL AND problem IS NULL AND kind IN "
            "('stop.arrived', 'stop.skipped', 'stop.completed', 'stop.failed', 'proof.captured') ORDER BY stop_id"
        )
    )
    for some in batched(said, ROWS_AT_ONCE):
        facts: dict[str, str] = {}
        for row in some:
            record = json.loads(row.record)
            captured_ms = None if record["wall_source"] == "none" else row.captured_ms
            captured_ms = captured_ms if row.anchored_ms is None else row.anchored_ms
            line = [row.van, row.epoch, row.seq, captured_ms, row.received_ms, row.kind, record["body"]]
            facts[row.stop_id] = facts.get(row.stop_id, "") + json.dumps(line, separators=(",", ":")) + "\n"
        connection.execute(
            sa.text(
                "INSERT INTO stop_facts (stop_id, facts) VALUES (:stop_id, :facts) "
                "ON CONFLICT (stop_id) DO UPDATE SET facts = stop_facts.facts || excluded.facts"
            ),
            [{"stop_id": stop_id, "facts": lines} for stop_id, lines in facts.items()],
        )
