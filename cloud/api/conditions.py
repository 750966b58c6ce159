"""Roads that cannot be driven, or only at another speed: told to every van as conditions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from aiohttp import web
from pydantic import ValidationError
from sqlalchemy import Connection

from cloud.api.parts import Parts
from cloud.api.problems import BadRequestError, ConflictError, NotFoundError, TooLargeError, answer
from cloud.fleet.build import closure_view
from cloud.store.conditions import conditions_now
from cloud.store.drawn import CLOSURES, SPEEDS, Kind, lift, save, standing
from wire.codec import TooBigError, encode, first_problem, loads
from wire.manifest import Closure, SpeedChange
from wire.model import Value

MAX_PLACES = 500


class Lifted(Value):
    closure_id: str


class SpeedLifted(Value):
    speed_id: str


class Speeds(Value):
    speeds: tuple[SpeedChange, ...]


def routes(parts: Parts) -> Sequence[web.AbstractRouteDef]:
    async def close_road(request: web.Request) -> web.Response:
        now = parts.clock.now()
        closure = read_closure(await request.read(), now)
        await _keep(parts, CLOSURES, closure, now)
        await parts.live.closures_changed()
        return answer(closure_view(closure))

    async def open_road(request: web.Request) -> web.Response:
        closure_id = await _lift(parts, CLOSURES, request.match_info["closure_id"])
        await parts.live.closures_changed()
        return answer(Lifted(closure_id=closure_id))

    async def change_speed(request: web.Request) -> web.Response:
        now = parts.clock.now()
        change = read_speed(await request.read(), now)
        await _keep(parts, SPEEDS, change, now)
        return answer(Speeds(speeds=(change,)))

    async def lift_speed(request: web.Request) -> web.Response:
        return answer(SpeedLifted(speed_id=await _lift(parts, SPEEDS, request.match_info["speed_id"])))

    async def speeds(_: web.Request) -> web.Response:
        now = parts.clock.now()
        return answer(Speeds(speeds=await parts.database.read(lambda conn: standing(conn, SPEEDS, now))))

    return (
        web.post("/api/closures", close_road),
        web.delete("/api/closures/{closure_id}", open_road),
        web.get("/api/speeds", speeds),
        web.post("/api/speeds", change_speed),
        web.delete("/api/speeds/{speed_id}", lift_speed),
    )


def read_closure(body: bytes, now: datetime) -> Closure:
    """A closure a dispatcher drew, with an id if it came without one. Raises BadRequestError, WireError."""
    closure = _read(CLOSURES, body, "line or pairs, valid_from and valid_until")
    if len(closure.line) < 2 and not closure.pairs:
        raise BadRequestError("a closure needs a line of at least two places, or pairs of road nodes")
    _check(closure, CLOSURES, now)
    return closure


def read_speed(body: bytes, now: datetime) -> SpeedChange:
    """A change of speed, with an id if it came without one. Raises BadRequestError, WireError."""
    change = _read(SPEEDS, body, "factor, line, pairs or area, valid_from and valid_until")
    if len(change.line) < 2 and not change.pairs and len(change.area) < 3:
        raise BadRequestError(
            "a change of speed needs a line of at least two places, pairs of road nodes, or an area of three corners"
        )
    _check(change, SPEEDS, now)
    return change


def _read[T: (Closure, SpeedChange)](kind: Kind[T], body: bytes, fields_meant: str) -> T:
    fields = loads(body)
    if not isinstance(fields, dict):
        raise BadRequestError(f"the body must be a {kind.word}: an object with {fields_meant}")
    if not fields.get(kind.id.name):
        fields[kind.id.name] = uuid4().hex
    try:
        return kind.model.model_validate(fields)
    except ValidationError as error:
        raise BadRequestError(f"not a {kind.word}: {first_problem(error)}") from error


def _check[T: (Closure, SpeedChange)](one: T, kind: Kind[T], now: datetime) -> None:
    area = one.area if isinstance(one, SpeedChange) else ()
    if max(len(one.line), len(one.pairs), len(area)) > MAX_PLACES:
        raise BadRequestError(f"a {kind.word} has at most {MAX_PLACES} places: draw it in several")
    if one.valid_until <= max(one.valid_from, now):
        raise BadRequestError(
            f"the {kind.word} is over before it begins, or by now: correct valid_from and valid_until"
        )


async def _keep[T: (Closure, SpeedChange)](parts: Parts, kind: Kind[T], one: T, now: datetime) -> None:
    def change(conn: Connection) -> None:
        try:
            save(conn, kind, one, now)
        except ValueError as error:
            raise ConflictError(str(error)) from error
        conditions = conditions_now(conn, now)
        try:
            encode(conditions) if conditions else None
        except TooBigError as error:
            why = f"all that is told of the roads is too much for one message ({error}): lift old ones, or draw less"
            raise TooLargeError(why) from error

    await parts.database.write(change)
    parts.outlet.wake()


async def _lift[T: (Closure, SpeedChange)](parts: Parts, kind: Kind[T], one_id: str) -> str:
    now = parts.clock.now()
    if not await parts.database.write(lambda conn: lift(conn, kind, one_id, now)):
        raise NotFoundError(f"no {kind.word} {one_id} stands")
    parts.outlet.wake()
    return one_id
