"""`python -m cloud proof` and `verify`, with and without a fleet's authority."""

from pathlib import Path

import pytest

from cloud.__main__ import main
from cloud.identity.certificates import key_pem
from tests.cloud.proof.sealed import a_morning, the_authority
from tests.cloud.said import FLEET

SETTINGS = f"""
fleet = "{FLEET}"
data_dir = "data"
timezone = "Europe/Lisbon"
[depot]
lat_deg = 41.15
lon_deg = -8.61
[[vans]]
name = "van-1"
driver = "Inês Duarte"
capacity_parcels = 80
shift_starts = "08:00"
shift_ends = "17:00"
"""


def settings_in(folder: Path, *, has_authority: bool) -> str:
    file = folder / "cloud.toml"
    file.write_text(SETTINGS)
    (folder / "data" / "authority").mkdir(parents=True)
    if has_authority:
        (folder / "data" / "authority" / "authority.pem").write_bytes(the_authority().pem)
        (folder / "data" / "authority" / "authority.key").write_bytes(key_pem(the_authority().key))
    a_morning(folder / "data").close()
    return str(file)


def test_a_proof_is_handed_out_twice_as_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = settings_in(tmp_path, has_authority=True)
    for name in ("a", "b"):
        assert main(["proof", file, "s1", "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert "all that the coordinator had of it on 2026-11-23 10:00:00 UTC" in capsys.readouterr().out


def test_what_was_handed_out_comes_from_the_fleets_authority(tmp_path: Path) -> None:
    file = settings_in(tmp_path, has_authority=True)
    main(["proof", file, "s1", "--out", str(tmp_path / "a")])
    assert main(["verify", str(tmp_path / "a"), "--authority", the_authority().fingerprint.hex()]) == 0


def test_a_fleet_without_an_authority_signs_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = settings_in(tmp_path, has_authority=False)
    main(["proof", file, "s1", "--out", str(tmp_path / "a")])
    assert "No certificate stands for the coordinator's key." in capsys.readouterr().out
    assert not (tmp_path / "data" / "authority" / "authority.pem").exists()
