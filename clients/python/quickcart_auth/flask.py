"""For Flask: a decorator that lets only those in who are asked for."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Response, current_app, g, request

from quickcart_auth.demands import PROBLEM_TYPE, Demand, Denied
from quickcart_auth.verifier import Verifier

P = ParamSpec("P")


def require_login(
    verifier: Verifier,
    *,
    role: str | None = None,
    scope: str | None = None,
    live: bool = False,
    max_age_seconds: float | None = None,
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Decorate a view: ``flask.g.identity`` is who calls.

    Whoever is not logged in gets 401, who lacks the role or the scope 403, who logged
    in too long ago 401 with the words of RFC 9470; 503 when nobody can tell.

    Raises:
        ValueError: ``live`` with a verifier that has no ``introspection``.
    """
    demand = Demand(
        verifier, role=role, scope=scope, live=live, max_age_seconds=max_age_seconds
    )

    def decorate(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **options: P.kwargs) -> Any:
            try:
                g.identity = demand.check(request.headers.get("Authorization"))
            except Denied as denied:
                return _answer(denied)
            return current_app.ensure_sync(view)(*args, **options)

        return guarded

    return decorate


def _answer(denied: Denied) -> Response:
    return Response(
        json.dumps(denied.problem),
        status=denied.status,
        headers=denied.headers,
        content_type=PROBLEM_TYPE,
    )
