"""Breadcrumbs as columns, and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wire.codec import decode, encode
from wire.track import Breadcrumb, TrackBatch, from_columns, to_columns

crumbs = st.lists(
    st.builds(
        Breadcrumb,
        wall_ms=st.integers(0, 2**42),
        lat_deg=st.integers(-90_000_000, 90_000_000).map(lambda udeg: udeg / 1e6),
        lon_deg=st.integers(-180_000_000, 180_000_000).map(lambda udeg: udeg / 1e6),
        speed_mps=st.none() | st.integers(0, 10_000).map(lambda cmps: cmps / 100),
        heading_deg=st.none() | st.integers(0, 359).map(float),
        error_m=st.none() | st.integers(0, 10_000).map(lambda dm: dm / 10),
    ),
    min_size=1,
    max_size=30,
)


def a_batch(said: list[Breadcrumb]) -> TrackBatch:
    return TrackBatch.model_validate(
        {"van": "van-1", "epoch": "0" * 16, "boot": 1, "lane": "track", "first_seq": 1, **to_columns(said)}
    )


@settings(max_examples=30)
@given(crumbs)
def test_what_was_measured_in_the_column_s_steps_comes_back_exactly(said: list[Breadcrumb]) -> None:
    assert from_columns(decode(TrackBatch, encode(a_batch(said)))) == tuple(said)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 100), st.floats(0, 360, exclude_max=True))
def test_anything_finer_is_rounded_to_the_nearest_step_and_never_drifts(
    lat_deg: float, lon_deg: float, speed_mps: float, heading_deg: float
) -> None:
    said = Breadcrumb(wall_ms=1, lat_deg=lat_deg, lon_deg=lon_deg, speed_mps=speed_mps, heading_deg=heading_deg)

    for back in from_columns(a_batch([said] * 5)):
        assert back is not None
        assert back.lat_deg == pytest.approx(lat_deg, abs=0.5e-6)
        assert back.lon_deg == pytest.approx(lon_deg, abs=0.5e-6)
        assert back.speed_mps == pytest.approx(speed_mps, abs=0.0051)
        assert back.heading_deg is not None
        assert abs((back.heading_deg - heading_deg + 180) % 360 - 180) <= 0.5


def test_a_missing_value_stays_missing_and_does_not_break_the_chain() -> None:
    speeds = [3.0, None, 5.0]
    said = [Breadcrumb(wall_ms=n, lat_deg=1, lon_deg=2, speed_mps=speed) for n, speed in enumerate(speeds)]

    assert [crumb and crumb.speed_mps for crumb in from_columns(a_batch(said))] == speeds


def test_columns_of_different_lengths_are_no_batch() -> None:
    columns = to_columns([Breadcrumb(wall_ms=1, lat_deg=1, lon_deg=2)] * 3)

    with pytest.raises(ValidationError, match="same length"):
        TrackBatch.model_validate(
            {
                "van": "van-1", "epoch": "0" * 16, "boot": 1, "lane": "track", "first_seq": 1,
                **columns, "lat_udeg": columns["lat_udeg"][:2],
            }
        )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"lat_udeg": (None,)},
        {"wall_ms": (None,)},
        {"lat_udeg": (91_000_000,)},
        {"speed_cmps": (-1,)},
        {"wall_ms": (-5,)},
    ],
)
def test_breadcrumbs_without_a_time_or_a_place_on_earth_are_refused(changes: dict[str, tuple[int | None, ...]]) -> None:
    batch = a_batch([Breadcrumb(wall_ms=1, lat_deg=1, lon_deg=2)]).model_copy(update=changes)

    with pytest.raises(ValueError, match=r"."):
        from_columns(batch)


def test_a_number_no_database_can_hold_is_refused_at_the_edge() -> None:
    columns = to_columns([Breadcrumb(wall_ms=1, lat_deg=1, lon_deg=2)])

    with pytest.raises(ValidationError):
        TrackBatch.model_validate(
            {
                "van": "van-1", "epoch": "0" * 16, "boot": 1, "lane": "track", "first_seq": 1,
                **columns, "error_dm": (10**400,),
            }
        )  # fmt: skip
