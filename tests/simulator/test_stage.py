from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from agent.config import read_settings as read_van
from cloud.config import read_settings as read_cloud
from host.loopback import PortTakenError, claim_port
from simulator.stage import LOOPBACK, Stage, require_free, stage, staged
from tests.builders import DEPOT


def a_stage(folder: Path, starts_at: datetime) -> Stage:
    return stage(
        folder,
        pack_dir=folder / "pack",
        depot=DEPOT,
        timezone="Etc/GMT",
        starts_at=starts_at,
        rate=30.0,
        vans=2,
        first_port=None,
    )


def test_van_and_coordinator_read_the_settings_written_for_them_and_agree_on_the_time(tmp_path: Path) -> None:
    set_up = a_stage(tmp_path, datetime(2026, 11, 23, 8, tzinfo=UTC))
    cloud = read_cloud(set_up.cloud_file)
    vans = [read_van(van.settings_file) for van in set_up.vans]
    assert [van.van for van in vans] == [van.name for van in cloud.vans] == ["van-1", "van-2"]
    assert {van.clock for van in vans} == {cloud.clock}
    assert staged(tmp_path) == set_up


@pytest.mark.parametrize(("hour", "ends"), [(8, time(17)), (18, time(3))])
def test_the_shift_starts_with_the_scenario(tmp_path: Path, hour: int, ends: time) -> None:
    cloud = read_cloud(a_stage(tmp_path, datetime(2026, 11, 23, hour, tzinfo=UTC)).cloud_file)
    assert {(van.shift_starts, van.shift_ends) for van in cloud.vans} == {(time(hour), ends)}


def test_a_run_does_not_start_beside_another_whose_pages_it_would_take_for_its_own() -> None:
    with claim_port(LOOPBACK, 0, "another run") as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {taken} .*already in use"):
            require_free(taken, vans=3)
