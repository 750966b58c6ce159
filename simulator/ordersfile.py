"""An orders file as the simulator needs it: its text, its day, and how long each hand-over really takes."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path


class OrdersFileError(ValueError):
    """The file cannot be used; the text says why. Single rows are the coordinator's business."""


@dataclass(frozen=True)
class OrdersFile:
    text: str
    day: date
    service_s: dict[str, float]
    """By order_ref, where the file says it."""

    @classmethod
    def of(cls, text: str, today: date) -> "OrdersFile":
        """The day is the first row's; a file without days is for `today`."""
        rows = list(csv.DictReader(io.StringIO(text)))
        day = next((date.fromisoformat(row["day"]) for row in rows if row.get("day")), today)
        service_s = {row["order_ref"]: float(row["service_s"]) for row in rows if row.get("service_s")}
        return cls(text, day, service_s)

    @classmethod
    def read(cls, path: Path, today: date) -> "OrdersFile":
        """Raises OrdersFileError."""
        try:
            return cls.of(path.read_text(encoding="utf-8-sig"), today)
        except (OSError, UnicodeDecodeError, ValueError, KeyError) as error:
            raise OrdersFileError(f"{path}: {error}") from error
