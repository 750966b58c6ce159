"""`python -m simulator.slow_disk MS MODULE [ARGUMENT...]`: a program of ours on a disk whose syncs take their time.

Cheap cards and busy servers need tens of milliseconds for a synced commit. A program that says "stored" before it is
gets away with that on a fast disk almost always, and is found out here. Only commits are delayed; nothing else differs.
"""

import runpy
import sqlite3.dbapi2
import sys
import time
from functools import partial


def slow_connection(commit_s: float) -> type[sqlite3.Connection]:
    """A connection class whose commits take that long before they begin."""

    class Slow(sqlite3.Connection):
        def commit(self) -> None:
            if self.in_transaction:
                time.sleep(commit_s)
            super().commit()

    return Slow


def main() -> None:
    commit_ms, module, *arguments = sys.argv[1:]
    factory = slow_connection(float(commit_ms) / 1000)

    # SQLAlchemy asks the module for its `connect`, so that is the one place to hand over another connection class.
    vars(sqlite3.dbapi2)["connect"] = partial(sqlite3.dbapi2.connect, factory=factory)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
