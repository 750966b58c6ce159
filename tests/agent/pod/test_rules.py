"""What a door asks for, rule by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.pod.rules import Judged, PlaceVerdict, judged, place_verdict
from tests.builders import a_stop
from wire.events import Outcome
from wire.handover import Cash, Handover, Parcel, Reach
from wire.manifest import EvidenceKind, EvidenceRule, Stop

EURO = Cash(amount_minor=2450, currency="EUR")
ALL = Handover(parcels=(Parcel(code="A-1"),), pin_hash="$argon2id$", min_age=18, cash=EURO)
TAKEN = [kind for kind in EvidenceKind if kind is not EvidenceKind.PLACE]


def at_door(
    stop: Stop,
    *taken: EvidenceKind,
    outcome: Outcome = Outcome.TO_RECIPIENT,
    place: PlaceVerdict = PlaceVerdict.INSIDE,
    received_by: str = "",
) -> Judged:
    return judged(stop, outcome, taken=taken, place=place, received_by=received_by)


def ruled(kind: EvidenceKind, rule: EvidenceRule) -> Stop:
    return a_stop(
        1, proof={kind: rule}, handover=ALL.model_copy(update={"pin_hash": "", "min_age": None, "cash": None})
    )


@pytest.mark.parametrize("kind", [EvidenceKind.SIGNATURE, EvidenceKind.PHOTO, EvidenceKind.SCAN, EvidenceKind.NOTE])
def test_required_blocks_warn_asks_and_the_rest_is_silent(kind: EvidenceKind) -> None:
    assert at_door(ruled(kind, EvidenceRule.REQUIRED)).missing == (kind,)
    assert at_door(ruled(kind, EvidenceRule.WARN)) == Judged(warned=(kind,))
    assert at_door(ruled(kind, EvidenceRule.OPTIONAL)) == Judged()
    assert at_door(ruled(kind, EvidenceRule.OFF)) == Judged()


def test_what_a_stop_names_it_also_asks_for() -> None:
    stop = a_stop(1, handover=ALL)
    assert set(at_door(stop).missing) == {EvidenceKind.PIN, EvidenceKind.AGE, EvidenceKind.CASH}
    off = a_stop(1, handover=ALL, proof=dict.fromkeys(EvidenceKind, EvidenceRule.OFF))
    assert at_door(off) == Judged()


@pytest.mark.parametrize("kind", [EvidenceKind.PIN, EvidenceKind.SCAN, EvidenceKind.CASH])
def test_a_rule_that_nobody_can_meet_only_warns(kind: EvidenceKind) -> None:
    assert at_door(a_stop(1, proof={kind: EvidenceRule.REQUIRED})) == Judged(warned=(kind,))


@pytest.mark.parametrize("outcome", [Outcome.TO_SAFE_PLACE, Outcome.TO_NEIGHBOUR])
def test_goods_that_the_recipient_did_not_take_need_a_photo(outcome: Outcome) -> None:
    stop = a_stop(1, proof={EvidenceKind.PHOTO: EvidenceRule.OFF})
    assert at_door(stop, outcome=outcome, received_by="12").missing == (EvidenceKind.PHOTO,)
    assert at_door(stop, EvidenceKind.PHOTO, outcome=outcome, received_by="12") == Judged()


def test_a_neighbour_has_a_name_or_a_door() -> None:
    stop = a_stop(1)
    assert at_door(stop, EvidenceKind.PHOTO, outcome=Outcome.TO_NEIGHBOUR, received_by=" ").wants_name
    assert not at_door(stop, EvidenceKind.PHOTO, outcome=Outcome.TO_SAFE_PLACE).wants_name


@pytest.mark.parametrize(
    ("rule", "place", "expected"),
    [
        (EvidenceRule.REQUIRED, PlaceVerdict.INSIDE, Judged()),
        (EvidenceRule.REQUIRED, PlaceVerdict.NEAR, Judged(warned=(EvidenceKind.PLACE,))),
        (EvidenceRule.REQUIRED, PlaceVerdict.UNKNOWN, Judged(warned=(EvidenceKind.PLACE,))),
        (EvidenceRule.REQUIRED, PlaceVerdict.BEYOND, Judged(missing=(EvidenceKind.PLACE,))),
        (EvidenceRule.WARN, PlaceVerdict.BEYOND, Judged(warned=(EvidenceKind.PLACE,))),
        (EvidenceRule.OPTIONAL, PlaceVerdict.BEYOND, Judged()),
    ],
)
def test_the_place_passes_warns_or_blocks_and_no_fix_is_never_a_pass(
    rule: EvidenceRule, place: PlaceVerdict, expected: Judged
) -> None:
    assert at_door(a_stop(1, proof={EvidenceKind.PLACE: rule}), place=place) == expected


def test_two_radii() -> None:
    reach = Reach(inner_m=100, outer_m=500)
    assert [place_verdict(metres, reach) for metres in (None, 100, 100.1, 500, 501)] == [
        PlaceVerdict.UNKNOWN,
        PlaceVerdict.INSIDE,
        PlaceVerdict.NEAR,
        PlaceVerdict.NEAR,
        PlaceVerdict.BEYOND,
    ]


@given(
    proof=st.dictionaries(st.sampled_from(EvidenceKind), st.sampled_from(EvidenceRule)),
    taken=st.sets(st.sampled_from(TAKEN)),
    more=st.sampled_from(TAKEN),
    outcome=st.sampled_from(Outcome),
    place=st.sampled_from(PlaceVerdict),
)
def test_taking_more_never_asks_for_more(
    proof: dict[EvidenceKind, EvidenceRule],
    taken: set[EvidenceKind],
    more: EvidenceKind,
    outcome: Outcome,
    place: PlaceVerdict,
) -> None:
    stop = a_stop(1, proof=proof, handover=ALL)
    before = at_door(stop, *taken, outcome=outcome, place=place)
    after = at_door(stop, *taken, more, outcome=outcome, place=place)
    assert set(after.missing) <= set(before.missing)
    assert set(after.warned) <= set(before.warned)
    assert not set(before.missing) & set(before.warned)
