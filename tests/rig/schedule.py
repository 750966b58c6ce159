"""What happens to the parts, and when: drawn from a seed, readable as a list."""

import random
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.rig.coordinator import CLIENT_ID
from tests.rig.weather import Weather

LEAST_CRASHES = 3
YEAR_S = 365 * 86_400.0


class Fault(StrEnum):
    CUT = "power cut in the middle of a storage operation"
    POWER = "power cut"
    KILL = "kill -9"
    PARTITION = "partition"
    ONE_WAY = "one-way partition"
    RESET = "reset"
    BROKER = "broker dies"
    FULL = "disk full"
    TIGHT = "disk nearly full"
    JUMP = "clock jumps"
    EPOCH = "power cut, and the store takes itself for restored"


@dataclass(frozen=True)
class Event:
    """`amount`: storage operations until the cut, or seconds: of the partition, of the darkness, of the jump.
    `room_bytes`: what a disk that is nearly full has besides the database.
    """

    at_s: float
    fault: Fault
    node: str
    amount: float = 0.0
    is_up: bool = False
    """Of a one-way partition: it is the way up that is closed."""
    room_bytes: int = 0
    is_at_receipt: bool = False
    """Of a van's full disk: not yet at `at_s`, but as soon after it as a receipt was taken and is not on the disk."""


@dataclass(frozen=True)
class Schedule:
    seed: int
    vans: tuple[str, ...]
    stops: int
    pace_s: float
    weather: Weather
    events: tuple[Event, ...]
    second_list_at_s: float
    is_shuffled: bool
    hears_time: bool
    """Whether the vans' clocks hear the time from GPS."""
    clock_off_s: float
    """Of the vans' clocks at their first start, which have no battery: nothing, or back to 1970."""
    fix_every_s: float
    crumbs_in_memory: int
    crumbs_spared: int
    """How many breadcrumbs may wait for a save, and on a full disk for the coordinator, before every second of the
    older ones is given up. In life two hours of them and ten minutes; here so few that it comes to that.
    """
    events_a_packet: int
    crumbs_a_packet: int
    """At most; in life 50 and 300. Where there are fewer, what was saved together travels and is receipted in parts."""
    longest_job_s: float
    """What a thread does for somebody takes up to so long: on a slow disk much comes together in one commit."""
    log_is_long_bytes: int
    """From here on the van's log goes into its file; in life over a megabyte."""
    largest_difference_bytes: int
    """Of the run from its base, before the base is written anew; in life 1,500, which takes many stops."""


def draw(seed: int) -> Schedule:
    """The schedule of a seed: at least three crashes and one partition in every one."""
    dice = random.Random(seed)
    vans = ("van-1",) if dice.random() < 0.85 else ("van-1", "van-2")
    lasts_s = dice.uniform(6.0, 20.0)
    nodes = (*vans, *vans, CLIENT_ID, CLIENT_ID)
    events = [_crash(dice, dice.choice(nodes), lasts_s) for _ in range(dice.choice((3, 3, 4, 5)))]
    events += [_partition(dice, dice.choice(nodes), lasts_s) for _ in range(dice.choice((1, 1, 2)))]
    if dice.random() < 0.4:
        events.append(Event(dice.uniform(1.0, lasts_s), Fault.BROKER, "broker", dice.uniform(0.1, 5.0)))
    if dice.random() < 0.3:
        events.append(Event(dice.uniform(1.0, lasts_s), Fault.RESET, dice.choice(nodes)))
    if dice.random() < 0.2:
        events.append(Event(dice.uniform(1.0, lasts_s), Fault.FULL, dice.choice(nodes), dice.uniform(1.0, 8.0)))
    if dice.random() < 0.3:
        events += _tight(dice, (*vans, *vans, *vans, CLIENT_ID), lasts_s)
    if dice.random() < 0.3:
        jump_s = dice.choice((-1, 1)) * dice.choice((60.0, 3 * 86_400.0, 10 * YEAR_S, 20 * YEAR_S))
        events.append(Event(dice.uniform(0.0, lasts_s), Fault.JUMP, dice.choice(vans), jump_s))
    if dice.random() < 0.2:
        events.append(Event(dice.uniform(1.0, lasts_s), Fault.EPOCH, dice.choice(vans)))
    is_datagram = dice.random() < 0.5
    weather = Weather(
        least_s=0.005,
        most_s=dice.choice((0.02, 0.1, 1.0, 3.0)),
        is_datagram=is_datagram,
        loss=dice.choice((0.0, 0.05, 0.2, 0.4)) if is_datagram else 0.0,
        doubling=dice.choice((0.0, 0.1, 0.3)) if is_datagram else 0.0,
    )
    stops, second_list_at_s = dice.choice((1, 2, 3)), dice.uniform(0.0, lasts_s)
    full = [event for event in events if event.fault is Fault.FULL and event.node in vans]
    if full and dice.random() < 0.5:
        if dice.random() < 0.5:  # as the last of all faults: no connection is made anew that would bring the list again
            events.remove(full[0])
            full[0] = replace(full[0], at_s=max(event.at_s for event in events) + dice.uniform(3.0, 6.0))
            events.append(full[0])
        second_list_at_s = full[0].at_s + 0.5  # a list that the disk will not take must be taken once it can
    other_dice = random.Random(f"{seed} at a receipt")  # what is drawn from it moves nothing else
    if other_dice.random() < 0.2:
        at_s, for_s = other_dice.uniform(0.0, 0.6 * lasts_s), other_dice.uniform(2.0, 6.0)
        events.append(Event(at_s, Fault.FULL, other_dice.choice(vans), for_s, is_at_receipt=True))
    is_tight = any(event.fault is Fault.TIGHT and event.node in vans for event in events)
    return Schedule(
        seed=seed,
        vans=vans,
        stops=stops,
        pace_s=lasts_s / 12,
        weather=weather,
        events=tuple(sorted(events, key=lambda event: event.at_s)),
        second_list_at_s=second_list_at_s,
        is_shuffled=dice.random() < 0.5,
        hears_time=dice.random() < 0.5,
        clock_off_s=-56 * YEAR_S if dice.random() < 0.15 else 0.0,
        fix_every_s=dice.choice((0.2, 0.4) if is_tight else (0.4, 1.0, 2.5)),
        crumbs_in_memory=dice.choice((5, 7_200) if is_tight else (3, 6, 7_200)),
        events_a_packet=dice.choice((2, 50)),
        crumbs_a_packet=dice.choice((2, 300)),
        longest_job_s=dice.choice((0.012, 0.1)),
        log_is_long_bytes=40_000 if is_tight else dice.choice((40_000, 1_200_000)),
        crumbs_spared=dice.choice((1, 3) if is_tight else (3, 600)),
        largest_difference_bytes=dice.choice((150, 1_500)),
    )


def _crash(dice: random.Random, node: str, lasts_s: float) -> Event:
    fault = dice.choice((Fault.CUT, Fault.CUT, Fault.POWER, Fault.KILL))
    amount = dice.randint(1, 120) if fault is Fault.CUT else 0
    return Event(dice.uniform(0.0, lasts_s), fault, node, amount)


def _tight(dice: random.Random, nodes: tuple[str, ...], lasts_s: float) -> list[Event]:
    """Mostly while the node is cut off, when what waits cannot be made less by sending it."""
    node, at_s, for_s = dice.choice(nodes), dice.uniform(2.0, 0.6 * lasts_s), dice.uniform(6.0, 20.0)
    room_bytes = dice.choice((0, 8_000)) + dice.randint(0, 10_000)
    events = [Event(at_s, Fault.TIGHT, node, for_s, room_bytes=room_bytes)]
    if dice.random() < 0.7:
        events.append(Event(at_s * dice.uniform(0.1, 1.0), Fault.PARTITION, node, at_s + for_s))
    return events


def _partition(dice: random.Random, node: str, lasts_s: float) -> Event:
    for_s = dice.choice((dice.uniform(0.5, 5.0), dice.uniform(5.0, 60.0)))
    fault = Fault.ONE_WAY if dice.random() < 0.3 else Fault.PARTITION
    return Event(dice.uniform(0.0, lasts_s), fault, node, for_s, is_up=dice.random() < 0.5)
