"""Whole logs through `python -m agent.gps replay`: those made here, and those of `$ROUNDSMAN_DATA/nmea` where it is."""

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.gps.__main__ import main
from agent.gps.gates import JITTER_M, STEP_LIMIT_MPS
from agent.gps.nmea import Log
from agent.gps.quality import ROLLOVER, Refused
from agent.gps.replay import Drive, lines, replayed
from tests.agent.gps.sentences import Second, a_drive, log
from tests.builders import a_place

LAST = re.compile(r"^fixes=\d+ accepted=\d+ refused=\d+ distance_m=\d+\.\d largest_step_m=\d+\.\d$")


def drive(seconds: list[Second]) -> Drive:
    return replayed(tuple(Log().epochs(log(seconds).splitlines())))


def said(seconds: list[Second]) -> str:
    return list(lines(drive(seconds), 0))[-1]


def test_a_plain_drive_is_believed_whole() -> None:
    assert said(a_drive(100)) == "fixes=100 accepted=100 refused=0 distance_m=990.0 largest_step_m=10.0"


def test_the_command_says_the_same_for_the_same_file_and_ends_with_the_sums(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "drive.nmea"
    path.write_bytes(log([*a_drive(60), *[replace(one, place=a_place()) for one in a_drive(2, from_s=60)]]))
    assert main(["replay", str(path)]) == 0
    first = capsys.readouterr().out
    assert main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == first
    assert LAST.match(first.splitlines()[-1])
    assert "refused 2: too far from the fix before (line 181, 184)" in first


@pytest.mark.parametrize("arguments", [[], ["replay"], ["replay", "/no/such/file"], ["replay", __file__, "soon"]])
def test_what_cannot_be_replayed_is_said_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(("usage:", "gps: "))


def test_a_tunnel_is_driven_through() -> None:
    seconds = [replace(one, place=None) if 40 <= k < 100 else one for k, one in enumerate(a_drive(140))]
    told = drive(seconds)
    assert told.refused == {Refused.NO_FIX: 60}
    assert max(step.metres for step in told.steps()) == pytest.approx(610, abs=1)
    assert told.longest_refusal_s() == 0


def test_a_jump_of_five_kilometres_is_not_followed_and_not_driven() -> None:
    seconds = a_drive(100)
    seconds[50:52] = [replace(one, place=a_place(north_m=500, east_m=5_000)) for one in seconds[50:52]]
    told = drive(seconds)
    assert told.refused == {Refused.JUMP: 2}
    assert max(step.metres for step in told.steps()) == pytest.approx(30, abs=1)


def test_a_cluster_of_bad_fixes_is_left_again_as_soon_as_the_van_is_seen_where_it_was() -> None:
    seconds = a_drive(100)
    seconds[50:60] = [replace(one, place=a_place(north_m=500, east_m=5_000), speed_mps=0.0) for one in seconds[50:60]]
    told = drive(seconds)
    assert told.refused[Refused.JUMP] == 3  # two until the cluster is believed, one until the van is back
    assert [round(leap.metres, -2) for leap in told.leaps()] == [5_000, 5_000]
    assert max(step.metres for step in told.steps()) == pytest.approx(10, abs=1)
    assert told.longest_refusal_s() <= 5


def test_a_place_that_runs_away_from_its_speed_is_not_followed() -> None:
    """A spoofed receiver that is led off by 20 m a second, while the Doppler shift says 2 m/s."""
    seconds = a_drive(60, speed_mps=2.0)
    led = [replace(one, place=a_place(north_m=120, east_m=20.0 * k)) for k, one in enumerate(seconds)]
    told = drive(seconds + [replace(one, at=one.at + timedelta(seconds=60)) for one in led])
    assert told.refused[Refused.RUNS_AWAY] > 10


def test_a_place_that_stands_still_at_speed_is_not_believed_for_long() -> None:
    seconds = a_drive(30)
    frozen = [replace(one, place=seconds[-1].place) for one in a_drive(60, from_s=30)]
    told = drive([*seconds, *frozen])
    assert told.refused == {Refused.STANDS_STILL: 56}


def test_a_week_counter_that_rolls_over_on_the_way_changes_nothing() -> None:
    seconds = [replace(one, at=one.at - ROLLOVER) if k >= 50 else one for k, one in enumerate(a_drive(100))]
    assert said(seconds) == said(a_drive(100))


def test_midnight_is_driven_through() -> None:
    began = datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)
    assert said(a_drive(100, began=began)) == said(a_drive(100))


@pytest.mark.parametrize("speed_mps", [None, 10.0])
def test_a_drive_without_speed_or_heading_is_believed(speed_mps: float | None) -> None:
    assert said([replace(one, speed_mps=speed_mps, track_deg=None) for one in a_drive(100)]) == said(a_drive(100))


def test_a_halt_is_an_arrival_once_however_the_fixes_jitter() -> None:
    stand = [
        Second(a_drive(1, from_s=60 + k)[0].at, a_place(north_m=600, east_m=(k % 3 - 1) * 12.0), 0.2)
        for k in range(120)
    ]
    onward = [replace(one, place=a_place(north_m=600 + 10.0 * k)) for k, one in enumerate(a_drive(60, from_s=180))]
    [halt] = drive([*a_drive(60), *stand, *onward]).halts
    assert halt.came_at == stand[3].at
    assert halt.left_at is not None
    assert (halt.left_at - onward[0].at).total_seconds() == pytest.approx(12, abs=2)


def logs() -> list[Path]:
    folder = Path(os.environ.get("ROUNDSMAN_DATA", "/no/such/folder")) / "nmea"
    return sorted([*folder.glob("*.nmea"), *folder.glob("*.log")])


@pytest.mark.parametrize("path", logs(), ids=lambda path: path.stem)
def test_a_recorded_drive_has_no_step_that_no_van_can_make_and_is_not_refused_for_long(path: Path) -> None:
    told = replayed(tuple(Log().epochs(path.read_bytes().splitlines())))
    assert told.accepted
    for step in told.steps():
        assert step.metres <= JITTER_M + STEP_LIMIT_MPS * step.seconds
    assert max(step.metres / step.seconds for step in told.steps()) < 40  # 144 km/h: none of these went faster
    assert told.longest_refusal_s() <= 5
