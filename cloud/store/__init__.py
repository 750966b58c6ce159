"""The coordinator's disk: SQLAlchemy Core over SQLite (PostgreSQL when it must grow), migrated by Alembic."""
