"""The label that was read last, as part of the run, until the driver has answered or another code is read."""

from agent.pod.labels import Filled, LabelTrouble
from agent.trip.hand import LastScan
from wire.manifest import Stop
from wire.model import Value


class LabelSeen(Value):
    """A code with what its label is good for: a stop that can be made of it, or facts that a listed one lacked."""

    scan: LastScan
    stop: Stop | None = None
    """What *make a stop* makes; None where the parcel is on a list, or no stop can be made."""
    why_not: LabelTrouble | None = None
    filled: tuple[Filled, ...] = ()
    """What the stop it belongs to did not have."""
