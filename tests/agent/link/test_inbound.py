"""What comes down is understood, or refused with a reason, and never an exception."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agent.link.inbound import Ignored, understand
from agent.link.live import live, says_the_same
from agent.trip.eta import etas
from agent.trip.inputs import CommandArrived, ConditionsArrived, ElsewhereArrived, ManifestArrived, ManifestUnreadable
from tests.builders import a_command, a_conditions, a_manifest, a_position, a_run, a_stop, at
from wire import topics
from wire.codec import encode, to_json
from wire.elsewhere import elsewhere_of
from wire.envelope import LaneReceipt, Receipts
from wire.topics import Topic


def heard(topic: Topic, packet: bytes) -> object:
    return understand(topic.of("town", "van-1"), packet, fleet="town", van="van-1")


def test_each_topic_has_its_meaning() -> None:
    receipts = Receipts(epoch="0" * 16, lanes={"events": LaneReceipt(contiguous_seq=4)})
    assert heard(topics.RECEIPTS, encode(receipts)) == receipts
    assert heard(topics.MANIFEST, encode(a_manifest())) == ManifestArrived(manifest=a_manifest())
    assert heard(topics.CONDITIONS, encode(a_conditions())) == ConditionsArrived(conditions=a_conditions())
    elsewhere = elsewhere_of({"van-2": ["A"]}, a_manifest().day, at(1))
    assert heard(topics.ELSEWHERE, encode(elsewhere)) == ElsewhereArrived(elsewhere=elsewhere)
    assert heard(topics.COMMANDS, encode(a_command())) == CommandArrived(command=a_command())


def test_a_manifest_of_a_newer_schema_is_refused_by_name() -> None:
    newer = json.dumps({**to_json(a_manifest(version=9)), "schema": 2}).encode()
    refused = heard(topics.MANIFEST, newer)
    assert isinstance(refused, ManifestUnreadable)
    assert refused.version == 9
    assert "schema 2" in refused.why


def test_a_manifest_with_a_stop_in_nowhere_is_refused_by_place() -> None:
    manifest = to_json(a_manifest([a_stop(1), a_stop(2)]))
    del manifest["stops"][1]["lat_deg"]
    refused = heard(topics.MANIFEST, json.dumps(manifest).encode())
    assert isinstance(refused, ManifestUnreadable)
    assert refused.why == "not a Manifest: stops.1.lat_deg: Field required"


def test_another_vans_manifest_is_refused() -> None:
    refused = heard(topics.MANIFEST, encode(a_manifest(van="van-2")))
    assert isinstance(refused, ManifestUnreadable)
    assert "van-2" in refused.why


def test_a_cleared_topic_and_a_foreign_one_mean_nothing() -> None:
    assert isinstance(heard(topics.MANIFEST, b""), Ignored)
    assert isinstance(heard(topics.LIVE, b"{}"), Ignored)
    assert isinstance(understand("rm/1/town/van-2/down/manifest", b"{}", fleet="town", van="van-1"), Ignored)


@given(st.sampled_from(topics.TOPICS), st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_no_packet_breaks_the_link(topic: Topic, packet: bytes) -> None:
    assert heard(topic, packet) is not None


def test_the_newest_picture_names_position_plan_and_etas() -> None:
    run = a_run(30, position=a_position())
    message = live("van-1", run, etas(run, at(1)), at(1))
    assert message.position is not None
    assert len(message.stop_ids) == 30
    assert [eta.stop_id for eta in message.etas] == list(message.stop_ids[:25])
    assert says_the_same(message, live("van-1", run, etas(run, at(1)), at(1.01)))
    moved = run.model_copy(update={"position": a_position(fixed_at=at(2))})
    assert not says_the_same(message, live("van-1", moved, etas(moved, at(2)), at(2)))
