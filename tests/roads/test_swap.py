from pathlib import Path

import pytest

from roads import swap
from roads.errors import PackMissingError


def a_folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "pack.json").write_text(text)
    return path


def test_the_new_pack_becomes_the_pack_and_the_pack_the_old_one(tmp_path: Path) -> None:
    pack = a_folder(tmp_path / "map", "first")
    for text in ("second", "third"):
        a_folder(swap.incoming(pack), text)
        assert swap.has_incoming(pack)
        swap.put_in_place(pack)
    assert [(one / "pack.json").read_text() for one in (pack, swap.previous(pack))] == ["third", "second"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map", "map.old"]


def test_a_power_cut_between_the_two_renames_leaves_the_old_pack_and_the_new_one_to_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = a_folder(tmp_path / "map", "first")
    a_folder(swap.incoming(pack), "second")
    rename = Path.rename

    def cut(path: Path, target: Path) -> Path:
        if path == swap.incoming(pack):
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut)
        with pytest.raises(KeyboardInterrupt):
            swap.put_in_place(pack)
    assert not pack.exists()
    swap.recover(pack)
    assert (pack / "pack.json").read_text() == "first"
    assert swap.has_incoming(pack)
    swap.recover(pack)
    swap.put_in_place(pack)
    assert (pack / "pack.json").read_text() == "second"


def test_one_that_did_not_pass_is_kept_aside_and_not_tried_again(tmp_path: Path) -> None:
    pack = a_folder(tmp_path / "map", "first")
    for text in ("bad", "worse"):
        a_folder(swap.incoming(pack), text)
        swap.set_aside(pack)
    assert not swap.has_incoming(pack)
    assert (swap.refused(pack) / "pack.json").read_text() == "worse"
    assert (pack / "pack.json").read_text() == "first"


def test_what_is_no_pack_is_not_laid_beside(tmp_path: Path) -> None:
    pack = a_folder(tmp_path / "map", "first")
    with pytest.raises(PackMissingError):
        swap.lay_beside(tmp_path / "nothing", pack)
    assert [path.name for path in tmp_path.iterdir()] == ["map"]
