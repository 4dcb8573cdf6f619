"""What other services need to check our tokens by themselves."""

import orjson
from flask import Blueprint, Response, request

from backend.wiring import Services

# Short enough that a new key is known before it signs, long enough to be no load.
_JWKS_SECONDS = 300


def token_routes(services: Services) -> Blueprint:
    """Return the public routes about tokens."""
    routes = Blueprint("tokens", __name__)

    @routes.get("/.well-known/jwks.json")
    def jwks() -> Response:
        response = Response(
            orjson.dumps(services.identity.keys.jwks()),
            content_type="application/json",
        )
        response.headers["Cache-Control"] = f"public, max-age={_JWKS_SECONDS}"
        # Equal keys give equal bytes, in every worker: so does the tag of them.
        response.add_etag()
        response.make_conditional(request)
        return response

    return routes
