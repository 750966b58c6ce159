"""The first shape of the coordinator's database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("total_bytes", sa.Integer(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blobs"),
    )
    op.create_table(
        "breadcrumbs",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("lat_deg", sa.Float(), nullable=False),
        sa.Column("lon_deg", sa.Float(), nullable=False),
        sa.Column("speed_mps", sa.Float(), nullable=True),
        sa.Column("heading_deg", sa.Float(), nullable=True),
        sa.Column("error_m", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("van", "epoch", "seq", name="pk_breadcrumbs"),
    )
    op.create_table(
        "closures",
        sa.Column("closure_id", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("lifted_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("closure_id", name="pk_closures"),
    )
    op.create_table(
        "forks",
        sa.Column("fork_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fork_id", name="pk_forks"),
    )
    op.create_index("ix_forks_identity", "forks", ["van", "epoch", "seq", "sha256"], unique=True)
    op.create_table(
        "lane_cursors",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=16), nullable=False),
        sa.Column("contiguous_seq", sa.BigInteger(), nullable=False),
        sa.Column("beyond", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("van", "epoch", "lane", name="pk_lane_cursors"),
    )
    op.create_table(
        "manifests",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("van", "day", "version", name="pk_manifests"),
    )
    op.create_table(
        "orders",
        sa.Column("stop_id", sa.String(length=64), nullable=False),
        sa.Column("order_ref", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("stop", sa.Text(), nullable=False),
        sa.Column("van", sa.String(length=32), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("why_unassigned", sa.Text(), nullable=False),
        sa.Column("cancelled_ms", sa.BigInteger(), nullable=True),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stop_id", name="pk_orders"),
    )
    op.create_index("ix_orders_day_van", "orders", ["day", "van"], unique=False)
    op.create_table(
        "parked",
        sa.Column("parked_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("packet", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name="pk_parked"),
    )
    op.create_index("ix_parked_van", "parked", ["van"], unique=False)
    op.create_table(
        "records",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("stop_id", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("boot", sa.Integer(), nullable=False),
        sa.Column("captured_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("van", "epoch", "seq", name="pk_records"),
    )
    op.create_index("ix_records_stop", "records", ["stop_id"], unique=False)
    op.create_table(
        "stop_states",
        sa.Column("stop_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stop_id", name="pk_stop_states"),
    )
    op.create_table(
        "van_states",
        sa.Column("van", sa.String(length=32), nullable=False),
        sa.Column("live", sa.Text(), nullable=True),
        sa.Column("presence", sa.Text(), nullable=True),
        sa.Column("applied_manifest_version", sa.Integer(), nullable=False),
        sa.Column("plans_made", sa.Integer(), nullable=False),
        sa.Column("plans_made_offline", sa.Integer(), nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("van", name="pk_van_states"),
    )
    op.create_table(
        "versions",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_versions"),
    )
    op.create_table(
        "blob_chunks",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("offset_bytes", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name="fk_blob_chunks_sha256"),
        sa.PrimaryKeyConstraint("sha256", "offset_bytes", name="pk_blob_chunks"),
    )
