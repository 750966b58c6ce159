"""What a stop heard is read from its records, and kept nowhere else."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("stop_facts")
