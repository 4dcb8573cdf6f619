"""What operators see and change of the defence; numbers are never in addresses."""

import re
from collections.abc import Callable

from flask import Blueprint, Response, request

from backend.abuse_desk import USUAL_DAYS, AbuseDesk
from backend.body import read_body
from backend.credentials import Credentials
from backend.errors import BodyError
from backend.openapi.abuse_operations import ON_ABUSE, AbuseOperation
from backend.responses import json_response
from services.abuse.report import MOST_DAYS

_SCOPE = "admin"

_DAYS = re.compile(r"[0-9]{1,2}", re.ASCII)


def abuse_routes(desk: AbuseDesk, credentials: Credentials) -> Blueprint:
    """Return the routes, for service tokens with scope ``admin``."""
    routes = Blueprint("abuse", __name__)

    @routes.get("/api/admin/abuse")
    def report() -> Response:
        credentials.client(request, scope=_SCOPE)
        return json_response(desk.report(_days(request.args.get("days"))))

    def operate(operation: AbuseOperation) -> Callable[[], Response]:
        def view() -> Response:
            client = credentials.client(request, scope=_SCOPE)
            asked = read_body(request, operation.request)
            return json_response(desk.act(operation.path, asked, f"client:{client.id}"))

        return view

    for operation in ON_ABUSE.values():
        routes.add_url_rule(
            f"/api/admin/abuse/{operation.path}",
            endpoint=operation.path.replace("/", "_"),
            view_func=operate(operation),
            methods=["POST"],
        )
    return routes


def _days(text: str | None) -> int:
    if text is None:
        return USUAL_DAYS
    if _DAYS.fullmatch(text) and 1 <= int(text) <= MOST_DAYS:
        return int(text)
    message = f"A number from 1 to {MOST_DAYS}"
    raise BodyError("invalid_request", [{"field": "days", "message": message}])
