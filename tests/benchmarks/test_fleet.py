"""The light vans of the fleet's benchmark are taken for vans by the real broker and coordinator."""

import pytest

from benchmarks import fleet


@pytest.mark.system
async def test_a_small_fleet_has_a_receipt_for_everything_it_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet, "SETTLED_S", 0.1)
    row = await fleet.measured(vans=3, seconds=2, stops=2)
    assert (row["unreceipted"], row["missing"], row["cut_off"]) == (0, 0, 0)
    assert 0 < row["receipt_p99_s"] < 10
    assert row["pss_mib"] > 10
