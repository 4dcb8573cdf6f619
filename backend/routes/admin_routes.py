"""What operators do about people; numbers are in bodies, never in addresses."""

import re
from collections.abc import Callable

from flask import Blueprint, Response, request

from backend.admin import Admin
from backend.body import read_body
from backend.credentials import Credentials
from backend.errors import BodyError
from backend.openapi.admin_operations import ON_PEOPLE, AdminOperation
from backend.responses import json_response
from services.journal.audit import AT_ONCE, MOST_AT_ONCE

_SCOPE = "admin"

_COUNT = re.compile(r"[0-9]{1,4}", re.ASCII)


def admin_routes(admin: Admin, credentials: Credentials) -> Blueprint:
    """Return the routes of operators, for service tokens with scope ``admin``."""
    routes = Blueprint("admin", __name__)

    def operate(operation: AdminOperation) -> Callable[[], Response]:
        def view() -> Response:
            client = credentials.client(request, scope=_SCOPE)
            asked = read_body(request, operation.request)
            return json_response(
                admin.act(operation.name, asked, f"client:{client.id}")
            )

        return view

    for operation in ON_PEOPLE.values():
        routes.add_url_rule(
            f"/api/admin/{operation.name}",
            endpoint=operation.name,
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
        return AT_ONCE
    if _COUNT.fullmatch(text) and 1 <= int(text) <= MOST_AT_ONCE:
        return int(text)
    message = f"A number from 1 to {MOST_AT_ONCE}"
    raise BodyError("invalid_request", [{"field": "last", "message": message}])
