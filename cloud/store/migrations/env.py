"""Alembic's entry: brings the connection it is handed to the newest revision. Run by `cloud.store.database` alone."""

from alembic import context

from cloud.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
