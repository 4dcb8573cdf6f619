"""What this service is, for people and for programs."""

import orjson
from flask import Blueprint, Response, render_template

from backend.openapi.document import document
from backend.responses import json_response
from backend.schemas.service import AboutResponse
from backend.version import VERSION

# The page has no script and fetches nothing.
_DOCS_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_routes() -> Blueprint:
    """Return the routes that describe the others."""
    routes = Blueprint("docs", __name__)
    described = document()
    encoded = orjson.dumps(described)
    endpoints = [
        f"{method.upper()} {path}"
        for path, operations in described["paths"].items()
        for method in operations
    ]

    @routes.get("/api")
    def about() -> Response:
        return json_response(
            AboutResponse(
                name="QuickCart Auth",
                version=VERSION,
                documentation="/api/docs",
                openapi="/api/openapi.json",
                jwks="/.well-known/jwks.json",
                endpoints=endpoints,
            )
        )

    @routes.get("/api/openapi.json")
    def openapi() -> Response:
        return Response(encoded, content_type="application/json")

    @routes.get("/api/docs")
    def docs() -> Response:
        response = Response(
            render_template("docs.html", api=described),
            content_type="text/html; charset=utf-8",
        )
        response.headers["Content-Security-Policy"] = _DOCS_POLICY
        return response

    return routes
