from scripts.generate import ROOT
from scripts.wiredoc import wire_document
from wire.codec import COMPRESS_ABOVE_BYTES
from wire.events import EventKind
from wire.topics import MAX_PACKET_BYTES, TOPICS


def test_the_page_about_the_wire_is_fresh_and_tells_of_every_topic_and_kind() -> None:
    page = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")

    assert page == wire_document(MAX_PACKET_BYTES, COMPRESS_ABOVE_BYTES), "run `python -m scripts.generate`"
    assert all(f"`{row.name}`" in page for row in TOPICS)
    assert all(f"### `{kind.value}`" in page for kind in EventKind)
