"""Errors of the HTTP side as answers: each is an ApiProblem with words for the person who asked.

ApiError
  +- BadRequestError   400
  +- NotSignedInError  401
  +- ForbiddenError    403
  +- NotFoundError     404
  +- ConflictError     409
  +- TooLargeError     413
  +- TooManyError      429
  +- UnavailableError  503
"""

import logging
from typing import ClassVar, Literal

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from cloud.errors import CloudError
from cloud.fleet.view import ApiProblem
from wire.codec import WireError, first_problem
from wire.model import Value

type ProblemName = Literal[
    "bad_request", "not_signed_in", "forbidden", "not_found", "too_large", "conflict", "too_many", "unavailable"
]

log = logging.getLogger(__name__)


class ApiError(Exception):
    """A question that gets no as its answer; the text says why and what to do."""

    status: ClassVar[int]
    name: ClassVar[ProblemName]


class BadRequestError(ApiError):
    status = 400
    name = "bad_request"


class NotSignedInError(ApiError):
    status = 401
    name = "not_signed_in"


class ForbiddenError(ApiError):
    status = 403
    name = "forbidden"


class NotFoundError(ApiError):
    status = 404
    name = "not_found"


class ConflictError(ApiError):
    status = 409
    name = "conflict"


class TooLargeError(ApiError):
    status = 413
    name = "too_large"


class TooManyError(ApiError):
    status = 429
    name = "too_many"


class UnavailableError(ApiError):
    status = 503
    name = "unavailable"


def answer(value: Value, status: int = 200) -> web.Response:
    """A model as the JSON body."""
    return web.Response(text=value.model_dump_json(by_alias=True), status=status, content_type="application/json")


@web.middleware
async def errors_as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into an ApiProblem; our own mistakes are logged in full and told in general."""
    try:
        return await handler(request)
    except ApiError as error:
        return _problem(error.name, str(error), error.status)
    except ValidationError as error:
        return _problem("bad_request", first_problem(error), 400)
    except WireError as error:
        return _problem("bad_request", str(error), 400)
    except web.HTTPRequestEntityTooLarge as error:
        return _problem("too_large", f"the body is larger than {request.app._client_max_size} bytes", error.status)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        name: ProblemName = "not_found" if error.status == 404 else "bad_request"
        words = f"there is nothing at {request.path}" if error.status == 404 else error.reason
        return _problem(name, words, error.status, allow=error.headers.get("Allow"))
    except CloudError as error:
        log.error("%s %s: %s", request.method, request.path, error)
        return _problem("unavailable", str(error), 503)
    except ConnectionError:
        raise  # who asked has gone
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _problem("unavailable", "the coordinator made a mistake; its log has the details. Try again", 500)


def _problem(name: ProblemName, message: str, status: int, *, allow: str | None = None) -> web.Response:
    response = answer(ApiProblem(problem=name, message=message), status)
    if allow:
        response.headers["Allow"] = allow
    return response
