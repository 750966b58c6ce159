"""Recorded days replay byte for byte, and their records hold what a day like that must come to."""

import json
from typing import Any

import pytest

from agent.trip.inputs import FixJudged
from agent.trip.replay import replay
from agent.trip.run import Run
from tests.drives import days, recorded
from wire.events import FixQuality


def said(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in recorded.read_said(name).splitlines()]


def of(name: str, kind: str) -> list[Any]:
    return [one["stop_id"] for one in said(name) if one.get("kind") == kind]


def fixes(name: str) -> list[FixJudged]:
    return [one for _, one in recorded.read_inputs(name) if isinstance(one, FixJudged)]


@pytest.mark.parametrize("name", recorded.names())
def test_a_recorded_day_replays_byte_for_byte(name: str) -> None:
    run, told = replay(Run(), recorded.read_inputs(name))
    assert recorded.said_as_text(run, told) == recorded.read_said(name)


@pytest.mark.parametrize("name", days.DAYS)
def test_a_day_lived_anew_comes_to_the_same_as_the_one_recorded(name: str) -> None:
    """Not byte for byte: the simulator may change, and the recorded day stays."""
    lived = [(one.kind, one.body["stop_id"]) for one in days.lived(days.DAYS[name]).said if "stop_id" in one.body]
    assert lived == [(one["kind"], one["stop_id"]) for one in said(name) if "stop_id" in one]


def test_a_tunnel_is_an_estimate_on_the_way_and_neither_arrival_nor_departure_comes_of_it() -> None:
    qualities = [one.position.quality for one in fixes("tunnel") if one.position is not None]
    assert qualities.count(FixQuality.ESTIMATED) > 20
    assert of("tunnel", "stop.arrived") == ["s1", "s2", "s3"]
    assert of("tunnel", "stop.departed") == ["s1", "s2", "s3"]
    assert of("tunnel", "stop.completed") == ["s1", "s2", "s3"]


def test_a_jump_to_the_stops_door_is_no_arrival_there() -> None:
    assert of("jump", "stop.arrived") == ["s1", "s2", "s3"]
    assert of("jump", "stop.departed") == ["s1", "s2", "s3"]
    arrivals = [one for one in said("jump") if one.get("kind") == "stop.arrived"]
    assert {one["by"] for one in arrivals} == {"geofence"}
    assert (
        arrivals[0]["arrived_at"] > "2026-11-23T08:02:30"
    )  # the van is there at 08:02:30; its receiver was at 08:01:15
    assert any(one.position is not None and not one.position.is_settled for one in fixes("jump")[100:])


def test_a_closing_that_was_taken_back_is_told_with_what_came_instead() -> None:
    second = [one["kind"] for one in said("undo") if one.get("stop_id") == "s2"]
    assert second == ["stop.arrived", "stop.completed", "stop.reopened", "stop.failed", "stop.departed"]
    assert [one["is_closed"] for one in said("undo") if one.get("kind") == "stop.departed"] == [True, True, True]
