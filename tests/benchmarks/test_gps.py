import json
from pathlib import Path

import pytest

from benchmarks.gps import main
from tests.agent.gps.sentences import a_drive, log


def test_a_folder_of_logs_becomes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "car-reno-2005-city.nmea").write_bytes(log(a_drive(120)))
    report = tmp_path / "gps.json"
    assert main(["--logs", str(tmp_path), "--report", str(report)]) == 0
    told = json.loads(report.read_text())
    [row] = told["rows"]
    assert (row["fixes"], row["accepted"], row["refused"], row["largest step"]) == (120, 120, 0, "10.0 m in 1 s")
    assert len(told["tracks"]["car-reno-2005-city"]["accepted"]) == 60  # every second one is 15 m away
    assert "fastest believed step: 10 m/s" in capsys.readouterr().out


def test_without_a_folder_it_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROUNDSMAN_DATA", raising=False)
    assert main([]) == 2
