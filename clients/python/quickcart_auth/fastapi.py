"""For FastAPI: a dependency that gives an endpoint who calls."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from quickcart_auth.demands import PROBLEM_TYPE, Demand, Denied
from quickcart_auth.identity import Identity
from quickcart_auth.verifier import Verifier

# Tells the OpenAPI document, and with it /docs; the header is read by ``Demand``.
_SCHEME = HTTPBearer(bearerFormat="JWT", auto_error=False)


class LoginRefused(HTTPException):
    """A refusal; without ``answer_problems`` FastAPI answers it in its own form."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.status, denied.problem["title"], denied.headers)
        self.problem = denied.problem


def login_required(
    verifier: Verifier,
    *,
    role: str | None = None,
    scope: str | None = None,
    live: bool = False,
    max_age_seconds: float | None = None,
) -> Callable[..., Identity]:
    """Return a dependency: ``identity: Annotated[Identity, Depends(...)]``.

    It is a plain function, which FastAPI runs in its threadpool, so the event loop
    never waits for keys or introspection. Refusals are those of the Flask decorator.

    Raises:
        ValueError: ``live`` with a verifier that has no ``introspection``.
    """
    demand = Demand(
        verifier, role=role, scope=scope, live=live, max_age_seconds=max_age_seconds
    )

    def identity_of(request: Request, _: Annotated[Any, Security(_SCHEME)]) -> Identity:
        try:
            return demand.check(request.headers.get("Authorization"))
        except Denied as denied:
            raise LoginRefused(denied) from None

    return identity_of


def answer_problems(app: FastAPI) -> None:
    """Have refusals answered as problem documents (RFC 9457)."""

    def answer(_: Request, error: Exception) -> Response:
        if not isinstance(error, LoginRefused):
            raise error
        return JSONResponse(
            error.problem,
            status_code=error.status_code,
            headers=error.headers,
            media_type=PROBLEM_TYPE,
        )

    app.add_exception_handler(LoginRefused, answer)
