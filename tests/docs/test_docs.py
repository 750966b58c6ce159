"""The documents are held against the code they speak of."""

import re
from pathlib import Path

import pytest

from cloud.orders.table import COLUMNS

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]
ROOMS = ("agent", "benchmarks", "cloud", "docs", "host", "roads", "scripts", "simulator", "tests", "ui", "wire")


def named(page: Path) -> set[str]:
    """The files and folders of ours that a page names in backticks, and those it links to."""
    text = page.read_text()
    quoted = re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w./-]*)", text)
    linked = [f"{page.parent.relative_to(CHECKOUT)}/{to}" for to in re.findall(r"\]\(([\w./-]+\.md|[\w/-]+/)\)", text)]
    return {*quoted, *linked}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_a_page_names_is_there(page: Path) -> None:
    made = ("ui/dist", "tests/drives", "tests/rig")  # built, or not there yet and said so
    missing = {name for name in named(page) if not name.startswith(made) and not (CHECKOUT / name).exists()}
    assert missing == set()


def test_the_page_on_orders_names_every_column_in_order() -> None:
    text = (CHECKOUT / "docs" / "orders.md").read_text()
    assert tuple(re.findall(r"^\| `(\w+)` \|", text, flags=re.M)) == COLUMNS
