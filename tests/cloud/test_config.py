from pathlib import Path

import pytest

from cloud.__main__ import main
from cloud.config import read_settings
from cloud.errors import ConfigError

GOOD = """
fleet = "town"
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


def written(folder: Path, text: str) -> Path:
    path = folder / "cloud.toml"
    path.write_text(text)
    return path


def test_a_short_file_is_enough_and_folders_are_meant_from_where_it_is(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, GOOD + '[roads]\npack_dir = "../pack"\n'))
    assert settings.data_dir == tmp_path / "data"
    assert settings.roads.pack_dir == tmp_path / ".." / "pack"
    assert settings.vans[0].shift_ends.hour == 17
    assert settings.broker.is_private
    assert settings.http.pages_dir.parts[-2:] == ("ui", "dist")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[depot]", "[depo]", "depot"),
        ('"town"', '"Town Hall"', "fleet"),
        ("Europe/Lisbon", "Europe/Atlantis", "time zone"),
        ("41.15", "nan", "depot.lat_deg"),
        ("41.15", "95", "depot.lat_deg"),
        ("80", "0", "vans.0.capacity_parcels"),
        ('"08:00"', '"8 o clock"', "vans.0.shift_starts"),
        ('"08:00"', '"08:00+01:00"', "without an offset"),
        ("driver", "diver", "vans.0.diver"),
        ('name = "van-1"', 'name = "van-1"\n[[vans]]\nname = "van-1"', "listed twice"),
        ('name = "van-1"', 'name = "+/#"', "vans.0.name"),
        ("[depot]", '[http]\ntls = false\nhost = "0.0.0.0"\n[depot]', "loopback"),
        ("[depot]", '[broker]\ntls = false\nhost = "mqtt.example.com"\n[depot]', "loopback"),
        ("[depot]", "[http]\nport = 99999\n[depot]", "http.port"),
        ("[depot]", "[clock]\nrate = 30.0\n[depot]", "needs an origin"),
        ("[depot]", "[depot", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_settings(written(tmp_path, GOOD.replace(old, new)))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no"):
        read_settings(tmp_path / "cloud.toml")


def test_bad_settings_are_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(written(tmp_path, GOOD.replace("41.15", '"north"')))]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "depot.lat_deg" in said


def test_without_a_file_it_says_how_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "CLOUD.toml" in capsys.readouterr().err
