"""What became of each fix, as seen from outside the van: told, taken by an acknowledged save, given up, or gone with
the memory of a life that ended. Each fix carries its number in its content (no two have one place and moment), so that
whoever finds a breadcrumb anywhere knows which it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.errors import StoreError
from agent.store.store import Step, Store
from tests.rig.disk import Disk
from wire.envelope import Receipts
from wire.track import Breadcrumb

QUICKLY_S = 2.0
"""A fix that was told this long before an orderly end has been taken."""

type Content = tuple[int | None, ...]
"""A breadcrumb in the units of the wire, in the order of its columns: what tells it from all others."""


def content_of(crumb: Breadcrumb) -> Content:
    scaled = (
        (crumb.lat_deg, 1e6),
        (crumb.lon_deg, 1e6),
        (crumb.speed_mps, 100),
        (crumb.heading_deg, 1),
        (crumb.error_m, 10),
    )
    return crumb.wall_ms, *(None if value is None else round(value * factor) for value, factor in scaled)


@dataclass(frozen=True)
class Fix:
    """`is_due`: the van was on duty when it was told, so that it must be taken; else it may be."""

    number: int
    told_s: float
    is_due: bool


@dataclass
class Life:
    """One start of the agent: what it was told, and the save that is under way."""

    told: list[Fix] = field(default_factory=list)
    covered: int = 0
    """How many of them are taken or given up."""
    under_way: tuple[str, Step] | None = None


class TrackBook:
    """Of one van. `lanes` is what its disk took, by epoch: the number of the fix under each seq, None where one was
    given up.
    """

    def __init__(self, van: str) -> None:
        self.van = van
        self.lost: list[str] = []
        self.doubled: list[str] = []
        self.lanes: dict[str, list[int | None]] = {}
        self.told_of: list[Content] = []
        self.may_thin = False
        """Whether the disk was ever so full that breadcrumbs which were saved may have been given up."""
        self.life = Life()
        self._numbers: dict[Content, int] = {}

    # What the van does ----------------------------------------------------------------------------------------------

    def boots(self, stands_at: Mapping[str, int]) -> None:
        """A new life begins on this disk, whose track lanes stand at these seqs: either the save that was under way
        when the last life ended is on it as a whole, or nothing of it.
        """
        last, self.life = self.life, Life()
        if last.under_way is not None:
            epoch, step = last.under_way
            if stands_at.get(epoch, 0) > len(self.lanes.get(epoch, ())):
                self._take(last, epoch, step)
        self._compare(stands_at)

    def told(self, crumb: Breadcrumb, at_s: float, *, is_due: bool) -> None:
        content = content_of(crumb)
        assert content not in self._numbers, "two fixes of one place and moment"
        self._numbers[content] = len(self.told_of)
        self.life.told.append(Fix(len(self.told_of), at_s, is_due))
        self.told_of.append(content)

    def saved(self, life: Life, epoch: str, step: Step) -> None:
        """The disk took the step."""
        life.under_way = None
        self._take(life, epoch, step)

    def ended(self, at_s: float, stands_at: Mapping[str, int]) -> None:
        """The last life ended in order: all it was told is on its disk, or said to be given up."""
        due = [
            fix.number for fix in self.life.told[self.life.covered :] if fix.is_due and at_s - fix.told_s > QUICKLY_S
        ]
        if due:
            self.lost.append(f"{self.van} ended in order without saving its fixes {_short(due)}")
        self._compare(stands_at)

    # ------------------------------------------------------------------------------------------------------------------

    def _compare(self, stands_at: Mapping[str, int]) -> None:
        for epoch, seq in stands_at.items():
            taken = len(self.lanes.get(epoch, ()))
            if seq != taken:
                where = self.lost if seq < taken else self.doubled
                where.append(f"{self.van}'s track lane {epoch} stands at {seq}, and it took {taken}")
        for epoch in self.lanes.keys() - stands_at.keys():
            self.lost.append(f"{self.van}'s track lane {epoch} is gone")

    def _take(self, life: Life, epoch: str, step: Step) -> None:
        if not step.crumbs and not step.given_up:
            return
        numbers = [self._numbers.get(content_of(crumb)) for crumb in step.crumbs]
        if None in numbers:
            self.doubled.append(f"{self.van} saved a breadcrumb that no receiver told it")
        self.lanes.setdefault(epoch, []).extend([*[None] * step.given_up, *numbers])
        known = [number for number in numbers if number is not None]
        if known:
            self._account(life, known, step.given_up)

    def _account(self, life: Life, numbers: Sequence[int], given_up: int) -> None:
        """Between two saves each fix is in the second, or counted as given up by it."""
        fresh = [fix for fix in life.told[life.covered :] if fix.number <= numbers[-1]]
        life.covered += len(fresh)
        again = sorted(set(numbers) - {fix.number for fix in fresh})
        if again or list(numbers) != sorted(numbers):
            self.doubled.append(f"{self.van} saved fixes {_short(again or numbers)} once more, or out of order")
            return
        missing = [fix.number for fix in fresh if fix.is_due and fix.number not in numbers]
        perhaps = sum(not fix.is_due and fix.number not in numbers for fix in fresh)
        if given_up < len(missing):
            self.lost.append(f"{self.van} left out fixes {_short(missing)} and says that {given_up} were given up")
        elif given_up > len(missing) + perhaps:
            self.doubled.append(f"{self.van} says that {given_up} fixes were given up, and {len(missing)} are missing")


class BookedStore(Store):
    """The production store, with each step that it takes written down."""

    book: TrackBook
    disk: Disk
    receipted: Callable[[], None]

    async def apply_receipts(self, receipts: Receipts, at_ms: int, *, is_resume: bool = False) -> None:
        before = self.waiting
        await super().apply_receipts(receipts, at_ms, is_resume=is_resume)
        if self._database.has_notes and (self.waiting.events, self.waiting.track) < (before.events, before.track):
            self.receipted()

    async def save(self, step: Step) -> None:
        if self.disk.is_dead:  # nobody hears what it answers
            await super().save(step)
            return
        life, epoch = self.book.life, self.identity.epoch
        life.under_way = epoch, step
        try:
            await super().save(step)
        except StoreError:
            if self.disk.is_dead:
                raise
            life.under_way = None  # it says that nothing was kept; the next look at the lanes tells
            self._count()
            raise
        self.book.saved(life, epoch, step)
        self._count()

    def _count(self) -> None:
        """Receipts that went with a write which failed wait again, and are counted again."""
        if self.disk.is_dead:
            return
        ((events, track),) = self._database.execute(
            "SELECT (SELECT count(*) FROM outbox WHERE receipted_ms IS NULL), "
            "(SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM trail WHERE receipted_ms IS NULL)"
        )
        said = self.waiting.events, self.waiting.track
        if said != (events, track):
            self.book.lost.append(f"{self.book.van} counts {said} events and crumbs that wait, and {events, track} do")

    def lanes(self) -> dict[str, int]:
        """Where the track lane of each epoch stands: the last seq given."""
        rows = self._database.execute(
            "SELECT epoch, next_seq - 1 FROM lanes JOIN epochs USING (epoch_id) WHERE lane = 'track'"
        )
        return {str(epoch): int(seq or 0) for epoch, seq in rows}


def _short(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} ({len(numbers)})"
