"""Messages from the coordinator that our disk would not take. Nobody says them again on this connection: a list kept by
the broker comes once, and a command that was lost is gone. So they are kept here and taken again until they are saved.
"""

from wire.mqtt import Arrived

AGAIN_EVERY_S = 2.0
MOST = 64
"""The broker has no more than twenty unanswered ones under way; only many connections on a dead disk come near."""


class Unsaved:
    """Times are the event loop's, in seconds. All are taken again in the order they came first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bytes], Arrived] = {}
        self._due_s = 0.0

    def keep(self, event: Arrived, now_s: float) -> bool:
        """Whether it is new here. The same again takes the older one's place: that belongs to an older connection."""
        if not self._kept:
            self._due_s = now_s + AGAIN_EVERY_S
        key = event.topic, event.payload
        is_new = key not in self._kept
        self._kept[key] = event
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return is_new

    def saved(self, event: Arrived) -> None:
        self._kept.pop((event.topic, event.payload), None)

    def due(self, now_s: float) -> list[Arrived]:
        """What is to be taken again now."""
        if now_s < self._due_s:
            return []
        self._due_s = now_s + AGAIN_EVERY_S
        return list(self._kept.values())
