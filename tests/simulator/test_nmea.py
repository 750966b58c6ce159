"""What the receiver says, read back with the arithmetic of the standard."""

from datetime import UTC, datetime
from itertools import pairwise
from statistics import pstdev

from hypothesis import given
from hypothesis import strategies as st

from simulator.nmea import Seen, Wander, epoch
from wire.geo import Place, distance_m

AT = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def _sentences(datagram: bytes) -> dict[str, list[str]]:
    found = {}
    for line in datagram.decode("ascii").splitlines():
        text, _, given_sum = line[1:].partition("*")
        total = 0
        for byte in text.encode():
            total ^= byte
        assert f"{total:02X}" == given_sum
        assert len(line) <= 80
        found[text[:5]] = text.split(",")
    return found


def _degrees(value: str, side: str) -> float:
    whole, minutes = divmod(float(value), 100)
    assert minutes < 60
    return (whole + minutes / 60) * (-1 if side in "SW" else 1)


@given(
    lat_deg=st.floats(-89.9, 89.9),
    lon_deg=st.floats(-180, 180),
    heading_deg=st.floats(0, 360),
    speed_mps=st.floats(0, 60),
)
def test_any_place_on_earth_reads_back(lat_deg: float, lon_deg: float, heading_deg: float, speed_mps: float) -> None:
    seen = Seen(Place(lat_deg=lat_deg, lon_deg=lon_deg), speed_mps, heading_deg)
    said = _sentences(epoch(AT, seen))
    for fields in (said["GPGGA"][2:6], said["GPRMC"][3:7]):
        assert abs(_degrees(*fields[:2]) - lat_deg) < 1e-6
        assert abs(_degrees(*fields[2:]) - lon_deg) < 1e-6
    assert abs(float(said["GPRMC"][7]) * 1852 / 3600 - speed_mps) < 0.001
    assert said["GPRMC"][8] == "" or 0 <= float(said["GPRMC"][8]) < 360


def test_all_sentences_of_an_epoch_carry_its_time() -> None:
    said = _sentences(epoch(AT, Seen(Place(lat_deg=1, lon_deg=1), 5, 90)))
    assert said["GPGGA"][1] == said["GPRMC"][1] == "235959.00"
    assert said["GPRMC"][9] == "311226"


def test_in_a_tunnel_there_is_a_time_and_no_place() -> None:
    said = _sentences(epoch(AT, None))
    assert said["GPRMC"][2] == "V"
    assert said["GPGGA"][2:7] == ["", "", "", "", "0"]


def test_a_standing_receiver_says_no_heading() -> None:
    assert _sentences(epoch(AT, Seen(Place(lat_deg=1, lon_deg=1), 0.0, 90)))["GPRMC"][8] == ""


def test_the_error_is_a_few_metres_and_drifts_rather_than_jumps() -> None:
    truth = Seen(Place(lat_deg=-33.9, lon_deg=18.4), 8.0, 10.0)
    wander = Wander(seed=3)
    seen = [wander.off(truth).place for _ in range(4_000)]
    off_m = [distance_m(place, truth.place) for place in seen]
    steps_m = [distance_m(a, b) for a, b in pairwise(seen)]
    assert 2.0 < sum(off_m) / len(off_m) < 4.0
    assert max(off_m) < 15.0
    assert pstdev(steps_m) < 1.0
    again = Wander(seed=3)
    assert [again.off(truth).place for _ in range(50)] == seen[:50]
