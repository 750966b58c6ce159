"""What a driver reads is what the van's screen promises, field by field; the two never import each other."""

import pytest
from pydantic import BaseModel

from agent.screen import messages, view
from agent.trip.run import StopPhase
from simulator import cab
from wire.manifest import EvidenceKind, EvidenceRule, Window


@pytest.mark.parametrize(
    ("read", "promised"),
    [
        (cab.Screen, view.CabView),
        (cab.StopSeen, view.StopView),
        (cab.StepSeen, view.StepView),
        (cab.WindowSeen, Window),
        (cab.SavedSeen, messages.Saved),
    ],
)
def test_every_field_read_is_promised(read: type[BaseModel], promised: type[BaseModel]) -> None:
    assert set(read.model_fields) <= set(promised.model_fields)


def test_the_words_a_driver_goes_by_are_the_vans() -> None:
    assert {"open", "arrived", "completed", "failed"} <= {phase.value for phase in StopPhase}
    assert {"photo", "signature"} <= {kind.value for kind in EvidenceKind}
    assert EvidenceRule.REQUIRED.value == "required"


def test_taps_are_taps_the_van_knows() -> None:
    for kind, model in (
        ("arrived", messages.ArrivedTap),
        ("delivered", messages.DeliveredTap),
        ("failed", messages.FailedTap),
    ):
        assert model.model_fields["kind"].default == kind
    assert {"outcome", "received_by"} <= set(messages.DeliveredTap.model_fields)
    assert "reason" in messages.FailedTap.model_fields
