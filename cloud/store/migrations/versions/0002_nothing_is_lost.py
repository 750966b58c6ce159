"""Anchored times, gaps of the track with their reasons, and the evidence that is still to come."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("records", sa.Column("anchored_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "clock_anchors",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("boot", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("mono_ms", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("van", "epoch", "boot", name="pk_clock_anchors"),
    )
    op.create_table(
        "track_gaps",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("van", "epoch", "first_seq", name="pk_track_gaps"),
    )
    op.create_table(
        "wanted_blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("named_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_wanted_blobs"),
    )
    op.create_index("ix_wanted_blobs_van", "wanted_blobs", ["van", "named_ms"])
    _want_what_is_missing()


def _want_what_is_missing() -> None:
    """What earlier records name and what never came whole."""
    connection = op.get_bind()
    whole = set(connection.execute(sa.text("SELECT sha256 FROM blobs WHERE is_whole")).scalars())
    named = connection.execute(
        sa.text("SELECT van, record, received_ms FROM records WHERE kind = 'proof.captured' AND problem IS NULL")
    )
    wanted = {json.loads(record)["body"]["sha256"]: (van, received_ms) for van, record, received_ms in named}
    rows = [
        {"sha256": sha256, "van": van, "named_ms": named_ms}
        for sha256, (van, named_ms) in wanted.items()
        if sha256 not in whole
    ]
    if rows:
        connection.execute(
            sa.text("INSERT INTO wanted_blobs (sha256, van, named_ms) VALUES (:sha256, :van, :named_ms)"), rows
        )
