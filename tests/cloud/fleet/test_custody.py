"""Where goods are by what the vans said: in one place, always, and in the end where they truly are."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.custody import Custody, Where, custody_of, handings_of
from cloud.fleet.fold import Origin, fold
from tests.builders import MORNING, at
from tests.cloud.said import completed
from wire.checks import Dropped
from wire.events import FailReason, StopFailed
from wire.manifest import StopKind
from wire.model import Message
from wire.transfer import GoodsHanded, Side

VANS = ("van-1", "van-2", "van-3")
type Told = tuple[Origin, Message]


def handed(meeting_id: str, side: Side, other_van: str, *, is_handed: bool = True) -> GoodsHanded:
    return GoodsHanded(stop_id="s1", meeting_id=meeting_id, side=side, other_van=other_van, is_handed=is_handed)


def said(van: str, seq: int, body: Message) -> Told:
    # A clock that stands still: order comes from the lanes and from what was planned.
    return Origin(van=van, epoch="aa", seq=seq, captured_at=MORNING, received_at=at(seq)), body


GIVEN = said("van-1", 1, handed("m1", Side.GIVES, "van-2"))
TAKEN = said("van-2", 1, handed("m1", Side.TAKES, "van-1"))
NOT_TAKEN = said("van-2", 1, handed("m1", Side.TAKES, "van-1", is_handed=False))
KEPT = said("van-1", 1, handed("m1", Side.GIVES, "van-2", is_handed=False))


def custody(*told: Told, kind: StopKind = StopKind.DELIVERY) -> Custody:
    return custody_of(kind, fold("s1", told))


def test_given_and_not_taken_is_between_the_two() -> None:
    assert custody(GIVEN) == Custody(Where.BETWEEN, "van-1")
    (one,) = handings_of(fold("s1", [GIVEN]))
    assert one.waits_for == "van-2"


def test_who_says_to_have_it_has_it_before_the_other_van_is_heard() -> None:
    assert custody(TAKEN) == Custody(Where.ABOARD, "van-2")
    assert custody(TAKEN, GIVEN) == Custody(Where.ABOARD, "van-2")


def test_given_by_one_and_not_there_for_the_other_needs_a_person() -> None:
    found = custody(GIVEN, NOT_TAKEN)
    assert (found.where, len(found.troubles)) == (Where.BETWEEN, 1)
    assert "were not there" in found.troubles[0]


def test_taken_by_one_and_kept_by_the_other_needs_a_person() -> None:
    found = custody(KEPT, TAKEN)
    assert (found.where, found.van, len(found.troubles)) == (Where.ABOARD, "van-2", 1)


def test_a_word_taken_back_counts_no_more() -> None:
    undone = said("van-1", 2, handed("m1", Side.GIVES, "van-2", is_handed=False))
    assert custody(GIVEN, undone) == Custody(Where.AT_FIRST)


def test_what_was_delivered_is_with_the_recipient_whatever_else_was_said() -> None:
    assert custody(TAKEN, said("van-1", 2, completed())).where is Where.RECIPIENT


def test_a_pickup_is_with_its_sender_until_it_is_aboard() -> None:
    assert custody(kind=StopKind.PICKUP) == Custody(Where.SENDER)
    fetched = said("van-1", 1, completed())
    assert custody(fetched, kind=StopKind.PICKUP) == Custody(Where.ABOARD, "van-1")


def test_what_could_not_be_delivered_is_aboard_the_van_that_tried() -> None:
    failed = said("van-2", 2, StopFailed(stop_id="s1", reason=FailReason.NOT_HOME))
    assert custody(GIVEN, TAKEN, failed) == Custody(Where.ABOARD, "van-2")


def test_what_was_left_at_a_pickup_point_is_there() -> None:
    failed = said("van-1", 1, StopFailed(stop_id="s1", reason=FailReason.NOT_HOME))
    left = said("van-1", 2, Dropped(stop_id="s1", pickup_point="Kiosk Lima", is_dropped=True))
    assert custody(failed, left) == Custody(Where.PICKUP_POINT)
    not_left = said("van-1", 2, Dropped(stop_id="s1", pickup_point="Kiosk Lima", is_dropped=False))
    assert custody(failed, not_left) == Custody(Where.ABOARD, "van-1")


@dataclass
class Goods:
    """What truly happened to one parcel, and what each van said of it."""

    van: str = "van-1"
    is_delivered: bool = False
    meetings: int = 0
    lanes: dict[str, list[Message]] = field(default_factory=lambda: {van: [] for van in VANS})

    def change_vans(self, to_van: str, *, slips: bool) -> None:
        """Two people hand the goods over and each taps; `slips`: one tapped too soon, and took it back first."""
        if self.is_delivered or to_van == self.van:
            return
        self.meetings += 1
        meeting_id = f"meet-{self.meetings:04d}"
        if slips:
            self.lanes[self.van] += [
                handed(meeting_id, Side.GIVES, to_van),
                handed(meeting_id, Side.GIVES, to_van, is_handed=False),
            ]
        self.lanes[self.van].append(handed(meeting_id, Side.GIVES, to_van))
        self.lanes[to_van].append(handed(meeting_id, Side.TAKES, self.van))
        self.van = to_van

    def miss(self, other_van: str) -> None:
        """Two vans were to meet, and each says that nothing changed hands."""
        if self.is_delivered or other_van == self.van:
            return
        self.meetings += 1
        meeting_id = f"meet-{self.meetings:04d}"
        self.lanes[self.van].append(handed(meeting_id, Side.GIVES, other_van, is_handed=False))
        self.lanes[other_van].append(handed(meeting_id, Side.TAKES, self.van, is_handed=False))

    def deliver(self) -> None:
        if not self.is_delivered:
            self.is_delivered = True
            self.lanes[self.van].append(completed())

    @property
    def told(self) -> list[Told]:
        return [said(van, seq, body) for van, lane in self.lanes.items() for seq, body in enumerate(lane, 1)]


@st.composite
def histories(draw: st.DrawFn) -> Goods:
    goods = Goods()
    for step in draw(st.lists(st.sampled_from(("meet", "meet", "miss", "deliver")), max_size=7)):
        van = draw(st.sampled_from(VANS))
        if step == "meet":
            goods.change_vans(van, slips=draw(st.booleans()))
        elif step == "miss":
            goods.miss(van)
        else:
            goods.deliver()
    return goods


@given(histories(), st.data())
def test_goods_are_in_one_place_whatever_is_here_of_what_was_said(goods: Goods, data: st.DataObject) -> None:
    told = goods.told
    some = data.draw(st.lists(st.sampled_from(told), max_size=20)) if told else []
    found = custody(*some)
    # Any order and any number of times: the same place.
    assert custody(*data.draw(st.permutations(some)), *some) == found
    # No van has them of which nobody said so, and a van that gave them last, by all it said, has them no more.
    aboard = [van for van in VANS if found == Custody(Where.ABOARD, van, found.troubles)]
    assert len(aboard) + (found.where is not Where.ABOARD) == 1
    if found.where is Where.RECIPIENT:
        assert goods.is_delivered


@given(histories(), st.data())
def test_when_all_is_heard_the_goods_are_where_they_truly_are(goods: Goods, data: st.DataObject) -> None:
    told = data.draw(st.permutations(goods.told))
    found = custody(*told, *told[:3])
    if goods.is_delivered:
        assert found == Custody(Where.RECIPIENT)
    elif found.where is Where.AT_FIRST:
        assert goods.van == "van-1"
    else:
        assert found == Custody(Where.ABOARD, goods.van)


@given(histories(), st.data())
def test_a_van_that_speaks_late_never_makes_two_of_one(goods: Goods, data: st.DataObject) -> None:
    """Lanes are heard in order, each as far as it has come: a delivered parcel is aboard no van, and a parcel is aboard
    the van that took it last of all that were heard.
    """
    heard: list[Told] = []
    for van, lane in goods.lanes.items():
        cut = data.draw(st.integers(0, len(lane)))
        heard += [said(van, seq, body) for seq, body in enumerate(lane[:cut], 1)]
    found = custody(*heard)
    takes = [
        (one.meeting_id, origin.van)
        for origin, one in heard
        if isinstance(one, GoodsHanded) and one.side is Side.TAKES and one.is_handed
    ]
    if found.where is Where.ABOARD:
        assert found.van == max(takes)[1]
