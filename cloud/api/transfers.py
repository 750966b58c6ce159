"""Stops that change vans: asked for, planned as a meeting, taken back."""

from collections.abc import Sequence

from aiohttp import web
from pydantic import ValidationError

from cloud.api.parts import Parts
from cloud.api.problems import BadRequestError, answer
from cloud.api.transferring import MeetingAsked, Transferring
from wire.codec import WireError, first_problem, loads
from wire.model import Name, Value


class MoveAsked(Value):
    to_van: Name


def routes(parts: Parts) -> Sequence[web.AbstractRouteDef]:
    transferring = Transferring(parts)

    async def move(request: web.Request) -> web.Response:
        asked = await _body(request, MoveAsked)
        return answer(await transferring.move(request.match_info["stop_id"], asked.to_van))

    async def withdraw(request: web.Request) -> web.Response:
        return answer(await transferring.withdraw(request.match_info["stop_id"]))

    async def meet(request: web.Request) -> web.Response:
        return answer(await transferring.meet(await _body(request, MeetingAsked)))

    return (
        web.post("/api/orders/{stop_id}/move", move),
        web.delete("/api/orders/{stop_id}/move", withdraw),
        web.post("/api/meetings", meet),
    )


async def _body[T: Value](request: web.Request, model: type[T]) -> T:
    try:
        return model.model_validate(loads(await request.read()))
    except ValidationError as error:
        raise BadRequestError(first_problem(error)) from None
    except WireError as error:
        raise BadRequestError(str(error)) from None
