"""Whether another unit speaks under our name: the broker lets one of two in and shows the other out, in turns. Pure."""

TAKEN_OVER = "taken over"
"""In the broker's farewell (MQTT 5, reason 0x8E), as the client words it."""
TIMES, WITHIN_S = 3, 600.0
"""Once happens when we come back before the broker has missed us; three times in ten minutes is somebody else."""


class Namesake:
    """Tell it why each connection ended."""

    def __init__(self) -> None:
        self._taken_s: list[float] = []

    def disconnected(self, reason: str, now_s: float) -> bool:
        """Whether it is plain now that there is another; True each time from then on."""
        if TAKEN_OVER not in reason.lower():
            return False
        self._taken_s = [moment for moment in self._taken_s if now_s - moment <= WITHIN_S] + [now_s]
        return len(self._taken_s) >= TIMES
