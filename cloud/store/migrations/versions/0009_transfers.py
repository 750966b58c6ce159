"""Stops that change vans."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("transfer_id", sa.String(length=64), primary_key=True),
        sa.Column("stop_id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("from_van", sa.String(length=32), nullable=False),
        sa.Column("to_van", sa.String(length=32), nullable=False),
        sa.Column("meeting_id", sa.String(length=64)),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger()),
        sa.Column("end", sa.String(length=16)),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
    )
    op.create_index("ix_transfers_stop", "transfers", ["stop_id"])
    op.create_index("ix_transfers_day", "transfers", ["day"])
