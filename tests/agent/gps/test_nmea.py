from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gps.gpsd import RawFix
from agent.gps.nmea import Epoch, Log
from tests.agent.gps.sentences import Second, a_drive, log, sentence
from tests.builders import MORNING, a_place
from wire.geo import Place, distance_m

RENO = b"""$GPRMC,235234,A,3925.9702,N,11945.9354,W,45.1,153.1,250905,15.2,E,A*01
$GPGGA,235234,3925.9702,N,11945.9354,W,1,10,0.8,1378.6,M,-22.1,M,,*4D
$GPGSA,A,3,04,07,08,09,11,24,26,27,28,29,,,1.5,0.8,1.3*38
"""


def read(content: bytes) -> list[Epoch]:
    return list(Log().epochs(content.splitlines()))


def fixes(content: bytes) -> list[RawFix]:
    return [epoch.fix for epoch in read(content) if epoch.fix is not None]


def test_an_epoch_of_three_sentences_is_one_fix() -> None:
    [epoch] = read(RENO)
    assert epoch.line == 1
    assert epoch.fix is not None
    assert (epoch.fix.time, epoch.fix.mode) == (datetime(2005, 9, 25, 23, 52, 34, tzinfo=UTC), 3)
    assert (epoch.fix.lat_deg, epoch.fix.lon_deg) == pytest.approx((39.432837, -119.765590), abs=1e-6)
    assert (epoch.fix.speed_mps, epoch.fix.track_deg, epoch.fix.eph_m) == pytest.approx((23.20, 153.1, 15.2), abs=0.01)


@pytest.mark.parametrize("lat_deg", [41.15, -33.9])
@pytest.mark.parametrize("lon_deg", [-8.61, 174.7, 0.5])
def test_a_place_is_read_where_it_is_on_every_side_of_the_earth(lat_deg: float, lon_deg: float) -> None:
    place = Place(lat_deg=lat_deg, lon_deg=lon_deg)
    [fix] = fixes(Second(MORNING, place).said())
    assert fix.lat_deg is not None
    assert fix.lon_deg is not None
    assert distance_m(place, Place(lat_deg=fix.lat_deg, lon_deg=fix.lon_deg)) < 0.05


def test_a_damaged_sentence_is_counted_and_not_read() -> None:
    damaged = (
        log(a_drive(3)).replace(b"GPRMC,080001.00,A", b"GPRMC,080001.00,V").replace(b"GPGGA,080001", b"GPGGA,080009")
    )
    reader = Log()
    epochs = list(reader.epochs(damaged.splitlines()))
    assert reader.damaged == 2
    assert [epoch.fix.time.second for epoch in epochs if epoch.fix] == [0, 2]


def test_comments_noise_and_other_sentences_are_passed_over() -> None:
    noise = b"# Name: a receiver $GPRMC\n\xb5b\x01\x07\n" + sentence("GPVTG,0.0,T,,M,0.0,N,0.0,K,A") + b"$\n$*00\n"
    assert len(read(noise + RENO)) == 1


def test_what_the_receiver_leaves_out_stays_unknown() -> None:
    [fix] = fixes(Second(MORNING, a_place(), speed_mps=None, track_deg=None).said())
    assert (fix.speed_mps, fix.track_deg) == (None, None)
    assert fix.mode == 3


def test_a_void_epoch_has_a_time_and_no_place() -> None:
    assert fixes(Second(MORNING, None).said()) == [RawFix(MORNING, 1)]


def test_an_epoch_without_a_time_is_told_as_one() -> None:
    void = sentence("GPGGA,,,,,,0,,,,,,,,") + sentence("GPRMC,,V,,,,,,,,,,N") + sentence("GPGSA,A,1" + "," * 15)
    assert [epoch.fix for epoch in read(void + void)] == [None, None]


def test_midnight_turns_the_date_with_and_without_one() -> None:
    began = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    whole = log(a_drive(2, began=began))
    assert [fix.time for fix in fixes(whole)] == [began, began + timedelta(seconds=1)]
    lines = [line for line in whole.splitlines() if not (b"RMC" in line and b",000000.00," in line)]
    assert [fix.time for fix in fixes(b"\n".join(lines))] == [began, began + timedelta(seconds=1)]


def test_the_sixtieth_second_is_the_end_of_the_fifty_ninth() -> None:
    leap = sentence("GPRMC,235960.00,A,4109.00000,N,00836.60000,W,19.4,0.0,311226,,,A")
    assert fixes(leap)[0].time == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def test_a_void_word_of_any_sentence_makes_the_epoch_void() -> None:
    for at, to in ((b"GPGSA,A,3", b"GPGSA,A,1"), (b"RMC,080000.00,A", b"RMC,080000.00,V")):
        lines = [sentence(line[1:].split(b"*")[0].replace(at, to).decode()) for line in log(a_drive(1)).splitlines()]
        assert fixes(b"".join(lines))[0].mode == 1


@given(
    st.lists(
        st.binary(max_size=60)
        | st.text(max_size=80).map(lambda text: sentence("GPRMC," + text.replace("\n", "")) if text.isascii() else b"")
    )
)
def test_no_line_breaks_the_reader(noise: list[bytes]) -> None:
    for epoch in Log().epochs([*noise, *RENO.splitlines()]):
        assert epoch.line > 0


@given(st.data())
def test_no_sentence_with_broken_fields_breaks_the_reader(data: st.DataObject) -> None:
    lines = []
    for line in log(a_drive(3)).splitlines():
        words = line[1:].split(b"*")[0].decode().split(",")
        place = data.draw(st.integers(1, len(words) - 1))
        words[place] = data.draw(st.sampled_from(["", "-", "nan", "1e999", "99", "-1", "235999", "31", "A", "V"]))
        lines.append(sentence(",".join(words)))
    for epoch in Log().epochs(lines):
        assert epoch.fix is None or epoch.fix.time.tzinfo is UTC
