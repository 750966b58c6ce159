"""How far a long command is, for whoever waits before it: on stderr, where it is no part of what was found."""

import sys
import time
from collections.abc import Iterable, Iterator

EVERY_S = 10.0


def told[T](done: Iterable[T], of: int, what: str) -> Iterator[T]:
    """The same, one after the other; every ten seconds it says how many there were."""
    said_s = time.monotonic()
    for number, one in enumerate(done, start=1):
        yield one
        if time.monotonic() - said_s >= EVERY_S:
            said_s = time.monotonic()
            print(f"{number} of {of} {what}", file=sys.stderr, flush=True)
