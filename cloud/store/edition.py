"""Which edition of a document that is told as a whole is the newest: it counts up with each change of it."""

from sqlalchemy import Connection, insert, select, update

from cloud.store.tables import versions

CONDITIONS = "conditions"


def edition(conn: Connection, name: str) -> int | None:
    """None until there was a first change."""
    found: int | None = conn.execute(select(versions.c.version).where(versions.c.name == name)).scalar()
    return found


def count_up(conn: Connection, name: str) -> None:
    """In the transaction of the change itself."""
    counted = conn.execute(update(versions).where(versions.c.name == name).values(version=versions.c.version + 1))
    if not counted.rowcount:
        conn.execute(insert(versions).values(name=name, version=1))
