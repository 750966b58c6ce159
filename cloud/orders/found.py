"""An order from a stop that a van made of a label, and what becomes of another order for the same parcel. Pure.

| the same parcel is | then |
| --- | --- |
| on no order | the label's stop is an order of that van |
| an open order of no van, or of that van | the label's stop takes over what it says, and the order is *carried* |
| on another stop that the van made of a label | that one stays, and this one is taken off again |
| an order of another van, or one that is done or cancelled | both stay, and the console says so |

The goods are where their label was read, and no list knows better; but no order is taken from a van that may have other
parcels of it. A van closes the stop that it made, so that stop's name is the one that lasts.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from cloud.orders.order import CARRIED, Order
from wire.finding import StopFound
from wire.found import OfLabel, PlacedBy
from wire.manifest import Stop, StopKind
from wire.model import StopId, Value

_MARK = "-found__"


class TakenIn(Value):
    """What is to be written: the order of the label, and those that it takes over with why."""

    order: Order
    carried: dict[StopId, str] = {}
    declined: str = ""
    """Why the van is to take it off again; empty where it stays."""


def is_found_id(stop_id: str) -> bool:
    """Whether a stop's name is one that a van makes of a label."""
    return _MARK in stop_id


def first_found_id(day: date) -> str:
    """Names of such stops of a day begin with it."""
    return f"{day:%Y%m%d}{_MARK}"


def day_of_found(found: StopFound) -> date | None:
    """The day in the stop's name; None where the name is not made of a day and the parcel, or it delivers another."""
    head, _, code = found.stop_id.partition(_MARK)
    if code != found.code or found.stop.stop_id != found.stop_id or len(head) != 8 or not head.isdigit():
        return None
    if found.stop.kind is not StopKind.DELIVERY or all(one.code != code for one in found.stop.handover.parcels):
        return None
    try:
        return date(int(head[:4]), int(head[4:6]), int(head[6:]))
    except ValueError:
        return None


def taken_in(
    found: StopFound,
    vans: Sequence[str],
    day: date,
    orders: Iterable[Order],
    closed: Collection[StopId],
) -> TakenIn:
    """`vans`: those that made this stop, the first one first; it is that one's, until it is moved to another. `orders`:
    of the day. The same again comes to the same.
    """
    maker, stop_id = vans[0], found.stop_id
    everyone = sorted(orders, key=lambda order: order.stop_id)
    known = next((order for order in everyone if order.stop_id == stop_id), None)
    van = (known.van if known is not None else None) or maker
    same = [order for order in everyone if order.stop_id != stop_id and _has(order, found.code)]
    mine = [one for one in same if one.van in (None, van) and not one.is_cancelled and one.stop_id not in closed]
    stop = found.stop if known is None else known.stop
    label = stop.found or OfLabel(van=maker, placed_by=PlacedBy.STREET)
    over = next((one for one in mine if one.stop.found is None), None)
    other = mine[0].stop_id if over is None and mine and stop_id not in closed else None
    if over is not None:
        stop, label = _taken_over(stop, over.stop), label.model_copy(update={"placed_by": PlacedBy.LIST})
    taken = {one.stop_id for one in mine}
    elsewhere = [_words(one, closed) for one in same if one.stop_id not in taken and not one.carried]
    elsewhere += [f"label read by {one} too" for one in vans[1:]]
    also = "; ".join(elsewhere)[:300]
    order = (known or Order(stop_id=stop_id, day=day, stop=stop, van=van)).model_copy(
        update={"stop": stop.model_copy(update={"found": label.model_copy(update={"van": maker, "also": also})})}
    )
    carried = {} if over is None else {over.stop_id: f"{CARRIED}{van}, stop {stop_id}"}
    declined = "" if other is None else f"{CARRIED}{van}, stop {other}"
    return TakenIn(order=order, carried=carried, declined=declined)


def _taken_over(label: Stop, order: Stop) -> Stop:
    """What the order says, and what only the label says."""
    name, phone = order.recipient.name or label.recipient.name, order.recipient.phone or label.recipient.phone
    return order.model_copy(
        update={
            "stop_id": label.stop_id,
            "recipient": order.recipient.model_copy(update={"name": name, "phone": phone}),
            "instruction": order.instruction or label.instruction,
            "windows": order.windows or label.windows,
            "proof": {**label.proof, **order.proof},
        }
    )


def _words(order: Order, closed: Collection[StopId]) -> str:
    if order.stop_id in closed:
        return f"order {order.order_ref} is done already"
    if order.is_cancelled:
        return f"order {order.order_ref} was cancelled"
    return f"order {order.order_ref} of {order.van}"


def _has(order: Order, code: str) -> bool:
    return any(parcel.code == code for parcel in order.stop.handover.parcels)
