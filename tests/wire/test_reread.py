from pydantic import TypeAdapter

from tests.builders import a_manifest, a_run
from wire.codec import content_hash
from wire.manifest import Manifest


def test_a_message_that_was_stored_is_the_same_message_with_the_same_hash() -> None:
    manifest = a_manifest()
    again = Manifest.model_validate_json(manifest.model_dump_json())
    assert again == manifest
    assert content_hash(again) == content_hash(manifest)


def test_a_message_stored_inside_a_value_of_ours_is_the_same_message() -> None:
    run = a_run()
    again = type(run).model_validate_json(TypeAdapter(type(run)).dump_json(run))
    assert again == run
    assert again.model_dump_json() == run.model_dump_json()
