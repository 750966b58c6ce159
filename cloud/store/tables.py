"""Every table of the coordinator. `migrations/` brings a database to this state; a test compares the two.

Records are kept as they came, for good; what a stop's state is, is a fold of them, made when it is read.
Instants are stored as Unix milliseconds (UTC), documents as JSON text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# What shippers asked for -------------------------------------------------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("stop_id", String(64), primary_key=True),  # made from order_ref and day; the stop on the manifest
    Column("order_ref", String(64), nullable=False),
    Column("day", String(10), nullable=False),  # service date, ISO
    Column("stop", Text, nullable=False),  # wire.manifest.Stop as JSON
    Column("van", String(32)),  # None: unassigned
    Column("position", Integer),  # suggested place in the van's order, from 0
    Column("why_unassigned", Text, nullable=False, default=""),
    Column("cancelled_ms", BigInteger),
    Column("added_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("ix_orders_day_van", "day", "van"),
)

manifests = Table(
    "manifests",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False),  # wire.manifest.Manifest as JSON
    Column("policy", String(16), nullable=False, server_default="advised"),  # as in the document
    Column("made_ms", BigInteger, nullable=False),
)

transfers = Table(
    # A stop that is to change vans; nothing is deleted, and of several of one stop the newest counts.
    "transfers",
    metadata,
    Column("transfer_id", String(64), primary_key=True),
    Column("stop_id", String(64), nullable=False),
    Column("day", String(10), nullable=False),
    Column("from_van", String(32), nullable=False),
    Column("to_van", String(32), nullable=False),
    Column("meeting_id", String(64)),  # where goods that are aboard change hands
    Column("asked_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("end", String(16)),  # cloud.fleet.view.TransferEnd
    Column("why", Text, nullable=False, server_default=""),
    Index("ix_transfers_stop", "stop_id"),
    Index("ix_transfers_day", "day"),
)

closures = Table(
    "closures",
    metadata,
    Column("closure_id", String(64), primary_key=True),
    Column("document", Text, nullable=False),  # wire.manifest.Closure as JSON
    Column("made_ms", BigInteger, nullable=False),
    Column("lifted_ms", BigInteger),
)

speeds = Table(
    "speeds",
    metadata,
    Column("speed_id", String(64), primary_key=True),
    Column("document", Text, nullable=False),  # wire.manifest.SpeedChange as JSON
    Column("made_ms", BigInteger, nullable=False),
    Column("lifted_ms", BigInteger),
)

weather = Table(
    "weather",
    metadata,
    Column("feed", String(64), primary_key=True),
    Column("document", Text, nullable=False),  # a list of wire.manifest.WeatherHour as JSON
)

versions = Table(
    "versions",
    metadata,
    Column("name", String(64), primary_key=True),  # "conditions"
    Column("version", Integer, nullable=False),
)

# What the vans said ------------------------------------------------------------------------------------------------

records = Table(
    "records",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True),  # of the events lane
    Column("kind", String(64), nullable=False),
    Column("stop_id", String(64)),  # when the body names one
    Column("sha256", String(64), nullable=False),  # of the canonical record
    Column("record", Text, nullable=False),  # wire.envelope.Record as JSON, unknown fields and all
    Column("boot", Integer, nullable=False),  # it was captured in
    Column("captured_ms", BigInteger, nullable=False),  # the van's clock as it was then
    Column("anchored_ms", BigInteger),  # what it should have been, when the van found out later (see clock_anchors)
    Column("received_ms", BigInteger, nullable=False),  # ours
    Column("problem", Text),  # why the body is not what its kind says; such a record is kept and changes nothing
    Index("ix_records_stop", "stop_id"),
)

forks = Table(
    "forks",
    metadata,
    Column("fork_id", Integer, primary_key=True, autoincrement=True),
    Column("van", String(32), nullable=False),
    Column("epoch", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("record", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Index("ix_forks_identity", "van", "epoch", "seq", "sha256", unique=True),
)

parked = Table(
    "parked",
    metadata,
    Column("parked_id", Integer, primary_key=True, autoincrement=True),
    Column("van", String(32), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("packet", LargeBinary, nullable=False),
    Column("why", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Index("ix_parked_van", "van"),
)

breadcrumbs = Table(
    "breadcrumbs",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True),  # of the track lane
    Column("wall_ms", BigInteger, nullable=False),
    Column("lat_deg", Float, nullable=False),
    Column("lon_deg", Float, nullable=False),
    Column("speed_mps", Float),
    Column("heading_deg", Float),
    Column("error_m", Float),
)

lane_cursors = Table(
    "lane_cursors",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("lane", String(16), primary_key=True),
    Column("contiguous_seq", BigInteger, nullable=False),  # all up to here are stored
    Column("beyond", Text, nullable=False),  # JSON [[first, last], ...] stored past the gap
)

clock_anchors = Table(
    "clock_anchors",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("boot", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),  # of the record that told it; only earlier ones are dated by it
    Column("mono_ms", BigInteger, nullable=False),
    Column("wall_ms", BigInteger, nullable=False),
)

track_gaps = Table(
    "track_gaps",  # breadcrumbs the van gave up, so that no hole in the track goes unexplained
    metadata,
    Column("van", String(32), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("first_seq", BigInteger, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("van", String(32), nullable=False),
    Column("total_bytes", Integer, nullable=False),
    Column("is_whole", Boolean, nullable=False, default=False),  # all bytes here and the hash is right
    Column("data", LargeBinary),  # set when whole; the chunks are then deleted
    Column("received_ms", BigInteger, nullable=False),
)

blob_chunks = Table(
    "blob_chunks",
    metadata,
    Column("sha256", String(64), ForeignKey("blobs.sha256"), primary_key=True),
    Column("offset_bytes", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

wanted_blobs = Table(
    # Named by a record and not whole here; a van that comes back is asked for them. In the order in which they were
    # named: by their hashes each of them would change a page of its own.
    "wanted_blobs",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("named_ms", BigInteger, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    sqlite_with_rowid=False,
)

van_keys = Table(
    # By which a van seals what it says: what it announced itself, over its own connection (wire.events.KeyAnnounced).
    "van_keys",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True),  # of the record that announced it
    Column("public_key", String(64), nullable=False),
    Column("certificate_pem", Text, nullable=False),
    Column("vouched", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),  # since when the van has another one
)

altered_proofs = Table(
    "altered_proofs",  # stops of which something does not hold that was sealed; nothing of them is discarded
    metadata,
    Column("stop_id", String(64), primary_key=True),
    Column("van", String(32), nullable=False),
    Column("why", Text, nullable=False),
    Column("found_ms", BigInteger, nullable=False),
    Index("ix_altered_proofs_van", "van"),
)

# Made of the records, rebuilt from them at any time ---------------------------------------------------------------

van_states = Table(
    "van_states",
    metadata,
    Column("van", String(32), primary_key=True),
    Column("live", Text),  # the newest wire.events.Live as JSON
    Column("presence", Text),  # the newest wire.events.Presence as JSON
    Column("applied_manifest_version", Integer, nullable=False, default=0),
    Column("plans_made", Integer, nullable=False, default=0),
    Column("plans_made_offline", Integer, nullable=False, default=0),
    Column("heard_ms", BigInteger),
)
