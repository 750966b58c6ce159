"""Writes every file that is made from another: `python -m scripts.generate`, or with `--check` fails when one is stale.

Each target is a path and the function that gives its text.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # started as a file instead of a module
    sys.path.insert(0, str(ROOT))

from scripts.lifecycledoc import lifecycle_document  # noqa: E402
from scripts.signinstyle import sign_in_tokens  # noqa: E402
from scripts.typescript import GENERATED, PAGES, compile_types  # noqa: E402  the checkout must be importable first
from scripts.wiredoc import wire_document  # noqa: E402
from wire.codec import COMPRESS_ABOVE_BYTES  # noqa: E402
from wire.topics import MAX_PACKET_BYTES  # noqa: E402


@dataclass(frozen=True)
class Target:
    path: Path
    text: Callable[[], str]


TARGETS = (
    Target(ROOT / "docs" / "wire.md", partial(wire_document, MAX_PACKET_BYTES, COMPRESS_ABOVE_BYTES)),
    Target(ROOT / "docs" / "lifecycle.md", lifecycle_document),
    Target(ROOT / "cloud" / "api" / "tokens.py", sign_in_tokens),
    *(Target(GENERATED / name, partial(compile_types, *page)) for name, page in PAGES.items()),
)


def main(arguments: list[str]) -> int:
    """Write what is stale; with `--check` only name it, and answer 1."""
    parser = argparse.ArgumentParser(description="Write the generated files.")
    parser.add_argument("--check", action="store_true", help="change nothing, fail when a file is stale")
    is_check = parser.parse_args(arguments).check
    stale = [target for target in TARGETS if not _is_fresh(target)]
    for target in stale:
        print(f"{'stale' if is_check else 'written'}: {target.path.relative_to(ROOT)}")
        if not is_check:
            target.path.parent.mkdir(parents=True, exist_ok=True)
            target.path.write_text(target.text(), encoding="utf-8")
    if stale and is_check:
        print("Run `.venv/bin/python -m scripts.generate` and commit what it writes.", file=sys.stderr)
    return 1 if stale and is_check else 0


def _is_fresh(target: Target) -> bool:
    return target.path.exists() and target.path.read_text(encoding="utf-8") == target.text()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
