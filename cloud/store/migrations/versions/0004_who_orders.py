"""Who may change the order, beside each manifest."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Until now every manifest was made with this one.
    op.add_column(
        "manifests", sa.Column("policy", sa.String(length=16), nullable=False, server_default=sa.text("'advised'"))
    )
