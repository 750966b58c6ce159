from datetime import date

from agent.trip.decide import decide
from agent.trip.effects import Replan
from agent.trip.inputs import ChargeTold, ManifestArrived
from agent.trip.run import ChargeReading, Run
from tests.builders import a_manifest, a_position, a_run, a_stop, at
from wire.events import ReplanReason


def test_what_the_driver_reads_counts_from_then_on_and_the_day_is_planned_with_it() -> None:
    run = a_run(2).model_copy(update={"position": a_position(fixed_at=at(5))})
    decision = decide(run, ChargeTold(share=0.62), at(5))
    assert run.position is not None
    assert decision.run.charge == ChargeReading(share=0.62, at=at(5), place=run.position.place)
    assert [effect.reason for effect in decision.effects if isinstance(effect, Replan)] == [ReplanReason.BATTERY]


def test_a_reading_without_a_position_says_so() -> None:
    reading = decide(a_run(2), ChargeTold(share=0.5), at(5)).run.charge
    assert reading is not None
    assert reading.place is None


def test_before_there_is_a_list_a_reading_is_kept_and_nothing_is_planned() -> None:
    decision = decide(Run(), ChargeTold(share=0.5), at(5))
    assert decision.run.charge is not None
    assert decision.effects == ()


def test_the_next_day_begins_without_the_reading_of_the_one_before() -> None:
    read = decide(a_run(2), ChargeTold(share=0.5), at(5)).run
    same_day = a_manifest([a_stop(1)], version=2)
    tomorrow = a_manifest([a_stop(7)], day=date(2026, 11, 24))
    assert decide(read, ManifestArrived(manifest=same_day), at(6)).run.charge == read.charge
    assert decide(read, ManifestArrived(manifest=tomorrow), at(6)).run.charge is None
