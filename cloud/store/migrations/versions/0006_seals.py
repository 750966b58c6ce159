"""Keys that vans announced, and proofs that do not hold."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "van_keys",
        sa.Column("van", sa.String(length=32), primary_key=True),
        sa.Column("epoch", sa.String(length=16), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("certificate_pem", sa.Text(), nullable=False),
        sa.Column("vouched", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger()),
    )
    op.create_table(
        "altered_proofs",
        sa.Column("stop_id", sa.String(length=64), primary_key=True),
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("found_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_altered_proofs_van", "altered_proofs", ["van"])
