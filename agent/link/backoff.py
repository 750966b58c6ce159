"""How long to wait before trying again. Pure: randomness comes in as an argument."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Waits that grow by `factor` from `first_s` up to `longest_s`."""

    first_s: float
    longest_s: float
    factor: float = 2.0

    def wait_s(self, tries: int, chance: float = 0.0) -> float:
        """The wait after `tries` failures in a row (0: none yet). `chance` in [0, 1) takes up to half of it away, so
        that many vans do not come back in the same instant.
        """
        # The exponent is bounded: a van that was offline for a week must not overflow a float.
        return min(self.longest_s, self.first_s * self.factor ** min(tries, 30)) * (1.0 - 0.5 * chance)
