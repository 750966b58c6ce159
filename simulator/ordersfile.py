"""A file of orders on both sides of the coordinator: as a shipper hands it in, and as the coordinator gives it back.

What a row says is for the coordinator alone to read; we need the day before it runs, and the service times after.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")


class OrdersFileError(ValueError):
    """There is no such file to hand in; the text says why. What is in it is the coordinator's business."""


@dataclass(frozen=True)
class OrdersFile:
    """The bytes as they are, and the day to drive."""

    data: bytes
    day: date

    @classmethod
    def of(cls, data: bytes, today: date) -> Self:
        """The day that most lines name, the earliest of equals; `today` when none names a day."""
        counts = Counter(_days(data))
        return cls(data, min(counts, key=lambda day: (-counts[day], day)) if counts else today)

    @classmethod
    def read(cls, path: Path, today: date) -> Self:
        """Raises OrdersFileError."""
        try:
            return cls.of(path.read_bytes(), today)
        except OSError as error:
            raise OrdersFileError(f"the orders in {path} cannot be read: {error.strerror}") from error


def service_times(exported: str) -> dict[str, float]:
    """Seconds at the door by order_ref, of the orders as the coordinator exports them."""
    return {row["order_ref"]: float(row["service_s"]) for row in csv.DictReader(io.StringIO(exported))}


def _days(data: bytes) -> Iterator[date]:
    """The first day of each line. Digits look the same in all encodings but UTF-16, which has a zero beside each."""
    for line in data.replace(b"\0", b"").decode("latin-1").splitlines():
        found = _DAY.search(line)
        with suppress(ValueError):
            if found:
                yield date.fromisoformat(found[0])
