import sqlite3
import time

from simulator.slow_disk import slow_connection


def test_only_a_commit_that_has_something_to_commit_takes_its_time() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=slow_connection(0.05))
    started = time.monotonic()
    connection.execute("CREATE TABLE t (n INTEGER)")
    connection.commit()
    assert time.monotonic() - started < 0.05
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1)")
    started = time.monotonic()
    connection.commit()
    assert time.monotonic() - started >= 0.05
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    connection.close()
