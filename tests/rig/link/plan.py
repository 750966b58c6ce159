"""What happens on the way between van, broker and coordinator, and when: drawn from a seed, readable as a list."""

import random
from dataclasses import dataclass
from enum import StrEnum

CLOUD, BROKER = "cloud", "broker"
LASTS_S = 14.0
STOPS = 4


class Fault(StrEnum):
    LOSS = "loss"
    DELAY = "delay and jitter"
    DOUBLES = "doubled packets"
    FLIPS = "flipped bits"
    ONE_WAY = "one-way cut"
    BLACK_HOLE = "black hole"
    RESET = "resets"
    MTU = "MTU black hole"
    FLAPPING = "flapping link"
    BROKER_KILLED = "broker killed"
    BROKER_CUT = "broker's disk cut"
    BROKER_FULL = "broker's disk full"
    VAN_KILLED = "van killed"
    CLOUD_KILLED = "coordinator killed"
    PARTITION = "partition"
    """The interface of a node is down: unlike in a black hole its kernel knows."""


MAIN = tuple(fault for fault in Fault if fault is not Fault.PARTITION)
"""Any 14 seeds in a row have all of them; each schedule has a partition besides."""
ON_ITS_DISK = {Fault.BROKER_CUT, Fault.BROKER_FULL}


@dataclass(frozen=True)
class Event:
    """`amount`: a share of packets, seconds of delay, or bytes, as the fault is."""

    at_s: float
    fault: Fault
    node: str
    lasts_s: float
    amount: float = 0.0
    is_up: bool = False
    """Of a one-way cut: it is the way to the broker that is closed."""


@dataclass(frozen=True)
class Plan:
    seed: int
    vans: tuple[str, ...]
    pace_s: float
    events: tuple[Event, ...]

    @property
    def needs_disk(self) -> bool:
        return any(event.fault in ON_ITS_DISK for event in self.events)


def draw(seed: int) -> Plan:
    """A partition, the seed's own fault, and one or two more; half of them begin while the partition lasts."""
    dice = random.Random(seed)
    vans = ("van-1", "van-2") if dice.random() < 0.35 else ("van-1",)
    partition = _event(dice, Fault.PARTITION, vans, dice.uniform(1.0, LASTS_S - 8.0))
    events = [partition]
    for fault in (MAIN[seed % len(MAIN)], *dice.sample(MAIN, dice.choice((1, 1, 2)))):
        earliest_s, latest_s = 1.0, LASTS_S - 4.0
        if dice.random() < 0.5:
            earliest_s, latest_s = partition.at_s + partition.lasts_s / 3, partition.at_s + partition.lasts_s
        events.append(_event(dice, fault, vans, dice.uniform(earliest_s, latest_s)))
    events.sort(key=lambda event: event.at_s)
    return Plan(seed, vans, LASTS_S / (3 * STOPS), tuple(events))


def _event(dice: random.Random, fault: Fault, vans: tuple[str, ...], at_s: float) -> Event:
    node = dice.choice((*vans, *vans, CLOUD, CLOUD))
    is_up = dice.random() < 0.5
    match fault:
        case Fault.LOSS:
            return Event(0.0, fault, node, LASTS_S, dice.choice((0.05, 0.15, 0.3)))
        case Fault.DELAY:
            return Event(0.0, fault, node, LASTS_S, dice.choice((0.1, 0.4, 1.0)))
        case Fault.DOUBLES | Fault.FLIPS:
            return Event(0.0, fault, node, LASTS_S, dice.choice((0.05, 0.2)))
        case Fault.ONE_WAY:
            return Event(at_s, fault, node, dice.uniform(3.0, 9.0), is_up=is_up)
        case Fault.BLACK_HOLE:
            return Event(at_s, fault, node, dice.uniform(6.0, 14.0))
        case Fault.RESET:
            return Event(at_s, fault, node, dice.uniform(0.2, 3.0))
        case Fault.MTU:
            return Event(at_s, fault, node, dice.uniform(4.0, 10.0), dice.choice((576, 1280)))
        case Fault.FLAPPING:
            return Event(dice.uniform(1.0, 4.0), fault, node, dice.uniform(8.0, 10.0))
        case Fault.BROKER_KILLED | Fault.BROKER_CUT | Fault.BROKER_FULL:
            return Event(at_s, fault, BROKER, dice.uniform(0.2, 4.0))
        case Fault.VAN_KILLED:
            return Event(at_s, fault, dice.choice(vans), dice.uniform(0.1, 2.0))
        case Fault.CLOUD_KILLED:
            return Event(at_s, fault, CLOUD, dice.uniform(0.1, 3.0))
        case Fault.PARTITION:
            return Event(at_s, fault, node, dice.uniform(2.0, 7.0))
