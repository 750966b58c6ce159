"""Roads that cannot be driven: told to every van as conditions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from aiohttp import web
from pydantic import ValidationError
from sqlalchemy import Connection

from cloud.api.parts import Parts
from cloud.api.problems import BadRequestError, ConflictError, NotFoundError, TooLargeError, answer
from cloud.fleet.build import closure_view
from cloud.store.closures import conditions_now, lift_closure, save_closure
from wire.codec import TooBigError, encode, first_problem, loads
from wire.manifest import Closure
from wire.model import Value

MAX_PLACES = 500


class Lifted(Value):
    closure_id: str


def routes(parts: Parts) -> Sequence[web.AbstractRouteDef]:
    async def close_road(request: web.Request) -> web.Response:
        now = parts.clock.now()
        closure = read_closure(await request.read(), now)

        def change(conn: Connection) -> None:
            try:
                save_closure(conn, closure, now)
            except ValueError as error:
                raise ConflictError(str(error)) from error
            conditions = conditions_now(conn, now)
            try:
                encode(conditions) if conditions else None
            except TooBigError as error:
                why = f"all closures together are too much for one message ({error}): lift old ones, or draw less"
                raise TooLargeError(why) from error

        await parts.database.write(change)
        await told()
        return answer(closure_view(closure))

    async def open_road(request: web.Request) -> web.Response:
        closure_id = request.match_info["closure_id"]
        now = parts.clock.now()
        if not await parts.database.write(lambda conn: lift_closure(conn, closure_id, now)):
            raise NotFoundError(f"no closure {closure_id} stands")
        await told()
        return answer(Lifted(closure_id=closure_id))

    async def told() -> None:
        parts.outlet.wake()
        await parts.live.closures_changed()

    return (web.post("/api/closures", close_road), web.delete("/api/closures/{closure_id}", open_road))


def read_closure(body: bytes, now: datetime) -> Closure:
    """A closure a dispatcher drew, with an id if it came without one. Raises BadRequestError, WireError."""
    fields = loads(body)
    if not isinstance(fields, dict):
        raise BadRequestError("the body must be a closure: an object with line or pairs, valid_from and valid_until")
    if not fields.get("closure_id"):
        fields["closure_id"] = uuid4().hex
    try:
        closure = Closure.model_validate(fields)
    except ValidationError as error:
        raise BadRequestError(f"not a closure: {first_problem(error)}") from error
    if len(closure.line) < 2 and not closure.pairs:
        raise BadRequestError("a closure needs a line of at least two places, or pairs of road nodes")
    if len(closure.line) > MAX_PLACES or len(closure.pairs) > MAX_PLACES:
        raise BadRequestError(f"a closure has at most {MAX_PLACES} places: draw it in several")
    if closure.valid_until <= max(closure.valid_from, now):
        raise BadRequestError("the closure is over before it begins, or by now: correct valid_from and valid_until")
    return closure
