"""What is known of a van, as it comes out of the store."""

from wire.events import Eta, Live, Presence
from wire.manifest import SequencePolicy
from wire.model import Instant, StopId, Value


class InForce(Value):
    """Of the manifest that a van should hold; version 0 when it has none."""

    version: int = 0
    policy: SequencePolicy | None = None


class VanNews(Value):
    """The newest of everything a van said of itself."""

    live: Live | None = None
    presence: Presence | None = None
    applied_manifest_version: int = 0
    plans_made: int = 0
    plans_made_offline: int = 0
    heard_at: Instant | None = None
    forks: int = 0
    """Records of today that contradict others of the same identity."""
    altered: int = 0
    """Stops of which it was found today that something does not hold that was sealed."""

    @property
    def is_online(self) -> bool:
        return self.presence is not None and self.presence.is_online

    @property
    def etas(self) -> dict[StopId, Eta]:
        return {} if self.live is None else {entry.stop_id: entry.eta for entry in self.live.etas}
