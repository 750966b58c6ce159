"""Orders in and out, and who drives them."""

from collections.abc import Sequence
from datetime import date

from aiohttp import web
from pydantic import ValidationError

from cloud.api.dispatching import Dispatch
from cloud.api.parts import Parts
from cloud.api.problems import BadRequestError, answer
from cloud.orders.cells import BadCellError, read_day
from cloud.orders.export import write_orders
from cloud.store.orders import orders_of_day
from wire.codec import WireError, first_problem, loads
from wire.manifest import SequencePolicy
from wire.model import Value


class PolicyAsked(Value):
    """Who may change the order of a van's stops."""

    policy: SequencePolicy


def routes(parts: Parts) -> Sequence[web.AbstractRouteDef]:
    dispatch = Dispatch(parts)

    def day_of(request: web.Request) -> date:
        text = request.query.get("day", "")
        try:
            return read_day({"day": text}, parts.today)
        except BadCellError as error:
            raise BadRequestError(f"day={error}") from None

    async def import_orders(request: web.Request) -> web.Response:
        dry_run = request.query.get("dry_run", "0")
        if dry_run not in ("0", "1"):
            raise BadRequestError(f"dry_run={dry_run} is neither 0 nor 1")
        day = day_of(request)
        return answer(await dispatch.import_orders(await request.read(), day, is_dry_run=dry_run == "1"))

    async def assign(request: web.Request) -> web.Response:
        return answer(await dispatch.assign(day_of(request)))

    async def cancel(request: web.Request) -> web.Response:
        return answer(await dispatch.cancel(request.match_info["stop_id"]))

    async def set_policy(request: web.Request) -> web.Response:
        try:
            asked = PolicyAsked.model_validate(loads(await request.read()))
        except ValidationError as error:
            raise BadRequestError(first_problem(error)) from None
        except WireError as error:
            raise BadRequestError(str(error)) from None
        return answer(await dispatch.set_policy(request.match_info["van"], day_of(request), asked.policy))

    async def export(request: web.Request) -> web.Response:
        day = day_of(request)
        orders = await parts.database.read(lambda conn: orders_of_day(conn, day))
        headers = {"Content-Disposition": f'attachment; filename="orders-{day.isoformat()}.csv"'}
        return web.Response(text=write_orders(orders), content_type="text/csv", headers=headers)

    return (
        web.get("/api/orders", export),
        web.post("/api/orders/import", import_orders),
        web.post("/api/orders/{stop_id}/cancel", cancel),
        web.post("/api/assign", assign),
        web.put("/api/vans/{van}/policy", set_policy),
    )
