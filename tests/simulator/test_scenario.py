from pathlib import Path

import pytest

from simulator import scenario


def test_every_scenario_file_reads() -> None:
    names = [file.stem for file in scenario.FOLDER.glob("*.toml")]
    assert "a_morning_with_the_network_gone" in names
    for name in names:
        assert scenario.read(name).vans >= 1


def test_the_morning_has_every_fault_it_promises() -> None:
    morning = scenario.read("a_morning_with_the_network_gone")
    kinds = {fault.kind for fault in morning.faults}
    assert {"link cut", "stop refused", "road closed", "process killed", "van killed"} <= kinds
    assert morning.vans == 3
    assert morning.vans * morning.stops_per_van >= 45
    assert morning.rate == 30


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(scenario.ScenarioError, match="an_ordinary_morning"):
        scenario.read("a_moonless_night")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = ", "not TOML"),
        ("vans = 3", "title"),
        ('title = "x"\nvans = 0', "vans"),
        ('title = "x"\n[[faults]]\nkind = "earthquake"', "faults.0"),
        ('title = "x"\n[[faults]]\nkind = "stop refused"\nvan = "van-1"\nat_share = 1.5', "at_share"),
    ],
)
def test_a_bad_file_says_where_it_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(scenario.ScenarioError, match=complaint):
        scenario.read(str(file))
