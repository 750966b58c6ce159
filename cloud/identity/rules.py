"""When a token is good, when a session is, and how often somebody may guess. Pure: values and `now` in, words out."""

import enum
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

TOKEN_LIFE = timedelta(minutes=15)
SESSION_LIFE = timedelta(hours=12)
MIN_PASSWORD = 10
MAX_PASSWORD = 256
MAX_NAME = 64


class TokenVerdict(enum.StrEnum):
    """What becomes of a token that somebody shows. All but GOOD and AGAIN are told to them as one and the same no."""

    GOOD = "good"
    AGAIN = "the same device asks again: its answer was lost"
    UNKNOWN = "there is no such token"
    EXPIRED = "its time is over"
    USED = "another device used it"


@dataclass(frozen=True)
class TokenRow:
    """A token as it is stored: `used_by` is the key of the device that used it."""

    van: str
    expires_at: datetime
    used_by: str | None


def judge_token(row: TokenRow | None, van: str, device: str, now: datetime) -> TokenVerdict:
    """`van` is the name written in the token, `device` the key that asks (its sha256)."""
    if row is None or row.van != van:
        return TokenVerdict.UNKNOWN
    if now >= row.expires_at:
        return TokenVerdict.EXPIRED
    if row.used_by is None:
        return TokenVerdict.GOOD
    return TokenVerdict.AGAIN if row.used_by == device else TokenVerdict.USED


def name_problem(name: str) -> str | None:
    """Why this cannot be a person's login name, or nothing."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        return f"a name has 1 to {MAX_NAME} letters and no blanks around it"
    return None


def password_problem(password: str) -> str | None:
    """Why this is no password, or nothing. Length is what counts."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"
    return None


class Tries:
    """Failed tries per source; `now_s` is the event loop's time. Success clears nothing: a guess is a guess."""

    def __init__(self, limit: int, within_s: float, sources: int = 10_000) -> None:
        self._limit = limit
        self._within_s = within_s
        self._sources = sources
        self._failed: dict[str, deque[float]] = {}

    def wait_s(self, source: str, now_s: float) -> float:
        """How long this source must wait before it may try again; 0 when it may now."""
        failed = self._failed.get(source)
        if failed is None:
            return 0.0
        while failed and failed[0] <= now_s - self._within_s:
            failed.popleft()
        if not failed:
            del self._failed[source]
            return 0.0
        return failed[0] + self._within_s - now_s if len(failed) >= self._limit else 0.0

    def failed(self, source: str, now_s: float) -> None:
        if source not in self._failed and len(self._failed) >= self._sources:
            self._failed.pop(next(iter(self._failed)))  # the oldest source makes room: memory is bounded
        self._failed.setdefault(source, deque(maxlen=self._limit)).append(now_s)
