"""One take-over is a fast reconnect; three in ten minutes are another unit."""

from agent.link.namesake import Namesake

SAID = "the broker said: Session taken over"


def test_three_times_in_ten_minutes_is_somebody_else() -> None:
    namesake = Namesake()
    assert [namesake.disconnected(SAID, at_s) for at_s in (0.0, 100.0, 599.0, 601.0)] == [False, False, True, True]


def test_now_and_then_is_nobody() -> None:
    namesake = Namesake()
    assert not any(namesake.disconnected(SAID, at_s) for at_s in (0.0, 400.0, 800.0, 1200.0, 1700.0))


def test_another_end_of_a_connection_counts_for_nothing() -> None:
    namesake = Namesake()
    assert not any(namesake.disconnected("the broker said: Server shutting down", at_s) for at_s in range(20))
