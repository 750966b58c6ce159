"""A damaged database whose first pages are spoiled: they say only how large a page is and where which table begins,
and a new database knows both.
"""

import shutil
from contextlib import closing, suppress
from pathlib import Path

from agent.store.database import PAGE_BYTES, DamagedFile, Database, move_log
from agent.store.migrations import migrate

_SIZES = (PAGE_BYTES, 4_096)
"""What ours were ever made with; a table begins on the same page whichever it is."""
_NEVER_EMPTY = ("epochs", "lanes", "meta", "run")
_LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_INTERIOR = 5
_HEADER_BYTES = 100


def readable(damaged: Path, repaired: Path) -> DamagedFile:
    """The damaged file; or, where its tables are not told, a copy at `repaired` with the first pages of a new one."""
    old = DamagedFile(damaged)
    if old.rows("SELECT 1 FROM epochs, lanes, outbox LIMIT 0") is not None:
        return old
    old.close()
    for page_bytes in _page_sizes(damaged):
        _repair(damaged, repaired, page_bytes)
        old = DamagedFile(repaired)
        if any(old.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in _NEVER_EMPTY):  # noqa: S608
            break
        old.close()
    else:
        _repair(damaged, repaired, PAGE_BYTES)
        old = DamagedFile(repaired)
    return old


def _page_sizes(damaged: Path) -> list[int]:
    """The likely ones first: as the log says, or what is left of the header."""
    said = []
    with suppress(OSError), _log(damaged).open("rb") as file:
        header = file.read(12)
        said += [int.from_bytes(header[8:])] if header[:4] in _LOG_MAGIC else []
    with damaged.open("rb") as file:
        said.append(int.from_bytes(file.read(18)[16:]))
    return list(dict.fromkeys([size for size in said if size in _SIZES] + list(_SIZES)))


def _repair(damaged: Path, repaired: Path, page_bytes: int) -> None:
    for path in (repaired, _log(repaired)):
        path.unlink(missing_ok=True)
    pages = _first_pages(repaired, page_bytes)
    shutil.copy2(damaged, repaired)
    if _log(damaged).exists():
        # What the log holds goes into the copy: SQLite counts the pages by it, and ours are to come behind them.
        shutil.copy2(_log(damaged), _log(repaired))
        _write(repaired, pages, page_bytes)
        move_log(repaired)
        _log(repaired).unlink(missing_ok=True)
    _write(repaired, pages, page_bytes)


def _first_pages(path: Path, page_bytes: int) -> list[bytes]:
    """Of a new database: the first page, and those it points to."""
    with closing(Database(path, page_bytes)) as new:
        migrate(new)
        new.checkpoint()
    content = path.read_bytes()
    for each in (path, _log(path)):
        each.unlink(missing_ok=True)
    page = content[:page_bytes]
    return [page, *(content[page_bytes * (child - 1) : page_bytes * child] for child in _children(page).values())]


def _children(page: bytes) -> dict[int, int]:
    """Where in the first page it says which other pages list the tables: none when it lists them all itself."""
    if page[_HEADER_BYTES] != _INTERIOR:
        return {}
    cells = int.from_bytes(page[_HEADER_BYTES + 3 : _HEADER_BYTES + 5])
    places = [
        int.from_bytes(page[place : place + 2])
        for place in range(_HEADER_BYTES + 12, _HEADER_BYTES + 12 + 2 * cells, 2)
    ]
    return {place: int.from_bytes(page[place : place + 4]) for place in [*places, _HEADER_BYTES + 8]}


def _write(path: Path, pages: list[bytes], page_bytes: int) -> None:
    """Puts the first page in its place and the others at the end: where they are in a store depends on its past."""
    with path.open("r+b") as file:
        end = -(-file.seek(0, 2) // page_bytes)
        page = bytearray(pages[0])
        page[92:96] = bytes(4)  # makes SQLite count the pages itself
        for number, place in enumerate(_children(pages[0]), end + 1):
            page[place : place + 4] = number.to_bytes(4)
        file.seek(end * page_bytes)
        file.write(b"".join(pages[1:]))
        file.seek(0)
        file.write(page)


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
