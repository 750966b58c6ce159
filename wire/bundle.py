"""A bundle: messages carried by hand, on a USB stick, where there is no network at all.

One zip file. `bundle.json` says whose it is and lists each message by topic, file and sha256; the messages are the very
packets that would have gone over the link. A bundle with a missing, damaged or added file is refused as a whole, and
that file is named.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from wire.codec import WireError, canonical, decode, to_json
from wire.manifest import SCHEMA
from wire.model import Instant, Message, Name, Sha256
from wire.topics import MAX_PACKET_BYTES, TOPICS, Topic, Way

INDEX: Final = "bundle.json"
MAX_INDEX_BYTES = 16_000_000
_DAY_ZERO = (1980, 1, 1, 0, 0, 0)


class Item(Message):
    """One message in the bundle."""

    topic: str
    file: Annotated[str, Field(pattern=r"^packets/[0-9]{6,9}$")]
    sha256: Sha256


class Index(Message):
    """What the bundle holds, and for whom."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    fleet: Name
    van: Name
    way: Way
    made_at: Instant
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Carried:
    """A message out of a bundle."""

    topic: Topic
    packet: bytes


class BundleError(WireError):
    """The file is no bundle, a damaged one, or another's; the text names what is wrong."""


def write_bundle(
    path: Path, *, fleet: str, van: str, way: Way, made_at: Instant, messages: Iterable[tuple[Topic, bytes]]
) -> int:
    """Write the messages, in their order, whole or not at all; how many. Raises OSError."""
    new = path.with_name(path.name + ".new")
    items = []
    try:
        with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as file:
            for number, (topic, packet) in enumerate(messages, 1):
                name = f"packets/{number:06}"
                file.writestr(zipfile.ZipInfo(name, _DAY_ZERO), packet)
                items.append(Item(topic=topic.name, file=name, sha256=hashlib.sha256(packet).hexdigest()))
            index = Index(fleet=fleet, van=van, way=way, made_at=made_at, items=tuple(items))
            file.writestr(zipfile.ZipInfo(INDEX, _DAY_ZERO), canonical(to_json(index)))
        _sync(new)
        new.replace(path)
        _sync(path.parent)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return len(items)


def read_bundle(path: Path, *, fleet: str, way: Way, van: str | None = None) -> tuple[Index, list[Carried]]:
    """Everything in a bundle, checked before any of it is used.

    Raises BundleError: no bundle, damaged, of another fleet or van, going the other way, or of a newer Roundsman.
    """
    try:
        with zipfile.ZipFile(path) as file:
            index = _index(path, file)
            listed = {item.file for item in index.items}
            others = set(file.namelist()) - listed - {INDEX}
            if others:
                raise BundleError(f"{path}: {min(others)} is not listed in it")
            _is_meant(path, index, fleet=fleet, way=way, van=van)
            return index, [_carried(path, file, item, way) for item in index.items]
    except FileNotFoundError:
        raise BundleError(f"{path}: there is no such file") from None
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BundleError(f"{path}: is no bundle, or was cut short: {error}") from error


def _index(path: Path, file: zipfile.ZipFile) -> Index:
    if INDEX not in file.namelist():
        raise BundleError(f"{path}: {INDEX} is missing")
    if file.getinfo(INDEX).file_size > MAX_INDEX_BYTES:
        raise BundleError(f"{path}: {INDEX} is too big")
    try:
        return decode(Index, file.read(INDEX))
    except (WireError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: {INDEX} is damaged or of a newer Roundsman: {error}") from error


def _is_meant(path: Path, index: Index, *, fleet: str, way: Way, van: str | None) -> None:
    if index.way is not way:
        raise BundleError(f"{path}: it goes {index.way}, and here only one that goes {way} is taken")
    if index.fleet != fleet:
        raise BundleError(f"{path}: it is of the fleet {index.fleet}, and this is {fleet}")
    if van is not None and index.van != van:
        raise BundleError(f"{path}: it is for {index.van}, and this is {van}")


def _carried(path: Path, file: zipfile.ZipFile, item: Item, way: Way) -> Carried:
    topic = next((topic for topic in TOPICS if topic.name == item.topic and topic.way is way), None)
    if topic is None:
        raise BundleError(f"{path}: {item.file} is for {item.topic}, where nothing goes {way}")
    try:
        if file.getinfo(item.file).file_size > MAX_PACKET_BYTES:
            raise BundleError(f"{path}: {item.file} is longer than any packet")
        packet = file.read(item.file)
    except KeyError:
        raise BundleError(f"{path}: {item.file} is missing") from None
    except zipfile.BadZipFile as error:
        raise BundleError(f"{path}: {item.file} is damaged: {error}") from error
    if hashlib.sha256(packet).hexdigest() != item.sha256:
        raise BundleError(f"{path}: {item.file} is damaged: its sha256 is not {item.sha256}")
    return Carried(topic, packet)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
