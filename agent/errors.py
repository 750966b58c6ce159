"""Everything that can break in the van, as one small tree. The text of an error says what to do about it.

    AgentError
    ├── ConfigError              the settings file is missing, unreadable or asks for something impossible
    ├── StoreError               the disk did not take or give what we asked; `kind` says which way
    ├── EnrolmentError           the van has no certificate, or did not get one; the text says what to do
    ├── EvidenceRefusedError     bytes that are no photo or signature we can keep
    └── CarryError               a bundle that is damaged, another's, or cannot be written

Ordinary outcomes are values and not here: no fix in a tunnel, no network, no feasible order, a tap out of turn.
"""

import errno
from enum import StrEnum
from pathlib import Path
from typing import Self


class AgentError(Exception):
    """The van's own errors."""


class ConfigError(AgentError, ValueError):
    """The text names the file, the key and what to write there instead."""


class StoreErrorKind(StrEnum):
    """What the disk said, in words the callers act on."""

    FULL = "full"
    """No room: nothing was saved, and the driver must be told before anything is called saved."""
    BUSY = "busy"
    """Another process holds the file longer than we wait; trying again is right."""
    CORRUPT = "corrupt"
    """The file is damaged; nothing more is written to it, and the next start sets it aside (`store/salvage.py`)."""
    CONSTRAINT = "constraint"
    """A row contradicts what is stored (the same tap for another stop): a mistake of the caller's."""
    IO = "io"
    """The disk failed in another way."""


class StoreError(AgentError):
    """Nothing of the transaction was kept."""

    def __init__(self, kind: StoreErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    @classmethod
    def from_disk(cls, path: Path, error: OSError) -> Self:
        """What the operating system said of a file of the store."""
        kind = StoreErrorKind.FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreErrorKind.IO
        return cls(kind, f"{path}: {error.strerror or error}")


class EnrolmentError(AgentError):
    """The van has no certificate, or did not get one."""


class EvidenceRefusedError(AgentError, ValueError):
    """The text is for the driver; nothing was saved."""


class CarryError(AgentError):
    """The text names the bundle and what is wrong with it; nothing was changed."""


class DayError(AgentError, ValueError):
    """A day in VROOM's JSON that cannot be read, or asks for what this engine does not do."""
