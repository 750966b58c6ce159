from datetime import timedelta
from pathlib import Path

from roads import closures
from roads.osrm import CHANGED_BY_CUSTOMIZE, used_speeds
from tests.builders import MORNING
from wire.manifest import Closure, NodePair

HOUR = timedelta(hours=1)


def closure(closure_id: str = "c1", pairs: tuple[tuple[int, int], ...] = ((1, 2),), both_ways: bool = True) -> Closure:
    return Closure(
        closure_id=closure_id,
        pairs=tuple(NodePair(from_node=a, to_node=b) for a, b in pairs),
        both_ways=both_ways,
        valid_from=MORNING,
        valid_until=MORNING + HOUR,
    )


def test_a_closure_holds_from_its_first_instant_until_just_before_its_last() -> None:
    one = (closure(),)
    assert closures.active(one, MORNING - HOUR) == ()
    assert closures.active(one, MORNING) == one
    assert closures.active(one, MORNING + HOUR - timedelta(microseconds=1)) == one
    assert closures.active(one, MORNING + HOUR) == ()


def test_the_next_change_is_the_next_beginning_or_end() -> None:
    one = (closure(),)
    assert closures.next_change(one, MORNING - HOUR) == MORNING
    assert closures.next_change(one, MORNING) == MORNING + HOUR
    assert closures.next_change(one, MORNING + HOUR) is None
    assert closures.next_change((), MORNING) is None


def test_a_speed_file_closes_both_directions_when_asked() -> None:
    assert closures.speed_file(closures.given_pairs(closure())) == "1,2,0\n2,1,0\n"
    assert closures.speed_file(closures.given_pairs(closure(both_ways=False))) == "1,2,0\n"


def test_a_pair_named_twice_or_from_a_node_to_itself_is_written_once_or_never() -> None:
    assert closures.given_pairs(closure(pairs=((1, 2), (2, 1), (3, 3), (1, 2)))) == ((1, 2), (2, 1))


def test_closures_that_share_a_road_both_count_as_applied() -> None:
    pairs = {"a": ((1, 2), (2, 3)), "b": ((1, 2),), "elsewhere": ((8, 9),)}
    assert closures.shared_out(pairs) == {"a": ((1, 2), (2, 3)), "b": (), "elsewhere": ((8, 9),)}
    assert closures.applied(pairs, {"a": 2, "elsewhere": 0}) == ("a", "b")


def test_what_osrm_says_about_each_speed_file_is_read_by_path() -> None:
    log = (
        "[2026-11-23T02:22:36] [info] Used 597685 speeds from LUA profile or input map\n"
        "[2026-11-23T02:22:36] [info] Used 3 speeds from /van/work dir/0.csv\n"
    )
    assert used_speeds(log)["/van/work dir/0.csv"] == 3


def test_a_working_copy_shares_only_the_files_that_are_not_written(tmp_path: Path) -> None:
    road = tmp_path / "road"
    road.mkdir()
    endings = (*CHANGED_BY_CUSTOMIZE, ".names", ".ramIndex")
    for ending in endings:
        (road / f"map.osrm{ending}").write_text(ending)
    base = closures.working_copy(road / "map.osrm", tmp_path / "copy")
    for ending in endings:
        copied = base.with_name(f"map.osrm{ending}")
        assert copied.read_text() == ending
        assert copied.samefile(road / copied.name) == (ending not in CHANGED_BY_CUSTOMIZE)
