"""The dispatcher's morning: the file of orders goes in, the vans get their stops, and what was left out is said."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from simulator.dispatcher import Dispatcher, RefusedError
from simulator.ordersfile import OrdersFile, service_times

PROBLEMS_SAID = 10
"""A file from hell has thousands; whoever reads these corrects the rest in the same go."""


@dataclass(frozen=True)
class Work:
    """What the fleet has to do."""

    vans: frozenset[str]
    """Those that have a manifest; the others stay at the depot."""
    service_s: dict[str, float]
    """Seconds at the door by order_ref."""


async def hand_out(dispatcher: Dispatcher, orders: OrdersFile, say: Callable[[str], None]) -> Work:
    """Good rows are driven, whatever the others are. Raises RefusedError when none can be."""
    report = await dispatcher.import_orders(orders.day, orders.data)
    problems = report["problems"]
    for problem in problems[:PROBLEMS_SAID]:
        column = f", {problem['column']}" if problem["column"] else ""
        say(f"orders, row {problem['row']}{column}: {problem['problem']}")
    if len(problems) > PROBLEMS_SAID:
        say(f"orders: and {len(problems) - PROBLEMS_SAID} more problems")
    service_s = service_times(await dispatcher.orders(orders.day))
    other_days = report["added"] - len(service_s)
    if other_days > 0:
        say(f"orders: {other_days} are for other days than {orders.day.isoformat()} and are not driven")
    given = await dispatcher.assign(orders.day)
    for why, count in Counter(given["unassigned"].values()).most_common(PROBLEMS_SAID):
        say(f"orders: {count} given to no van: {why}")
    if not given["manifests"]:
        raise RefusedError(f"of {report['rows']} rows no order for {orders.day.isoformat()} can be driven")
    return Work(frozenset(given["manifests"]), service_s)
