"""Settings are read once, and what is wrong with them is said by file, key and remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.config import read_settings
from agent.errors import ConfigError
from host.loopback import claim_port, free_port

LEAST = 'van = "van-1"\nfleet = "town"\ndata_dir = "DIR"\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "VAN.toml"
    path.write_text(text.replace("DIR", str(tmp_path / "data")))
    return path


def test_three_keys_are_enough(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, LEAST))
    assert (settings.van, settings.gpsd.port, settings.broker.port, settings.screen.port) == ("van-1", 2947, 8883, 8101)
    assert settings.screen.pages_dir.parts[-2:] == ("ui", "dist")
    assert settings.roads.pack_dir is None


def test_the_clock_of_a_simulation_is_read(tmp_path: Path) -> None:
    clock = '[clock]\norigin = "2026-11-23T08:00:00Z"\nsystem_origin_s = 1764000000.5\nrate = 30\n'
    settings = read_settings(written(tmp_path, LEAST + clock))
    assert settings.clock.origin == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert settings.clock.rate == 30.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("van = ", "is not TOML"),
        (LEAST.replace('"van-1"', '"Van 1"'), "van: String should match"),
        (LEAST.replace('fleet = "town"\n', ""), "fleet: Field required - add it"),
        (LEAST + "colour = 1\n", "colour: .* - remove it"),
        (LEAST + "[gpsd]\nport = 99999\n", "gpsd.port"),
        (LEAST + '[broker]\ntls = false\nhost = "192.168.1.7"\n', "broker: .*broker.host.*loopback"),
        (LEAST + '[screen]\nhost = "0.0.0.0"\n', "screen.host: .*loopback"),
        (LEAST + "[clock]\nrate = 30\n", "clock"),
        (LEAST + "[planner]\nlimit_s = nan\n", "planner.limit_s"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=rf"VAN\.toml: .*{words}|VAN\.toml: {words}"):
        read_settings(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_settings(tmp_path / "VAN.toml")


def test_a_port_in_use_is_one_clear_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with claim_port("127.0.0.1", port, "the test"):
        code = main([str(written(tmp_path, LEAST + f"[screen]\nport = {port}\n"))])
    said = capsys.readouterr()
    assert code == 2
    assert said.err.startswith(f"agent: the cab page: port {port} on 127.0.0.1 is already in use")
    assert len(said.err.strip().splitlines()) == 1


def test_settings_that_are_wrong_are_one_clear_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nothing.toml")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main([]) == 2
