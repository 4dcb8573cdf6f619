"""What operators do about people; numbers are in bodies, never in addresses."""

import re
from collections.abc import Callable

from flask import Blueprint, Response, request

from backend.admin import Admin
from backend.body import read_body
from backend.credentials import Credentials
from backend.errors import BodyError
from backend.openapi.admin_operations import REQUESTS
from backend.responses import json_response

_SCOPE = "admin"

_LAST = 50
_COUNT = re.compile(r"[0-9]{1,4}", re.ASCII)
MOST_ENTRIES = 1_000


def admin_routes(admin: Admin, credentials: Credentials) -> Blueprint:
    """Return the routes of operators, for service tokens with scope ``admin``."""
    routes = Blueprint("admin", __name__)

    def operate(operation: str) -> Callable[[], Response]:
        def view() -> Response:
            client = credentials.client(request, scope=_SCOPE)
            asked = read_body(request, REQUESTS[operation])
            return json_response(admin.act(operation, asked, f"client:{client.id}"))

        return view

    for operation in REQUESTS:
        routes.add_url_rule(
            f"/api/admin/{operation}",
            endpoint=operation,
            view_func=operate(operation),
            methods=["POST"],
        )

    @routes.get("/api/admin/audit")
    def audit() -> Response:
        credentials.client(request, scope=_SCOPE)
        return json_response(admin.audit(_count(request.args.get("last"))))

    return routes


def _count(text: str | None) -> int:
    if text is None:
        return _LAST
    if _COUNT.fullmatch(text) and 1 <= int(text) <= MOST_ENTRIES:
        return int(text)
    message = f"A number from 1 to {MOST_ENTRIES}"
    raise BodyError("invalid_request", [{"field": "last", "message": message}])
