"""The weather ahead, by feed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "weather",
        sa.Column("feed", sa.String(length=64), primary_key=True),
        sa.Column("document", sa.Text(), nullable=False),
    )
