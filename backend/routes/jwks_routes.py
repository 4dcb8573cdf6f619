"""What other services need to check our tokens by themselves."""

import orjson
from flask import Blueprint, Response, request

from services.identity.keys.signing_keys import SigningKeys

# Short enough that a new key is known before it signs, long enough to be no load.
_CACHE_SECONDS = 300


def jwks_routes(keys: SigningKeys) -> Blueprint:
    """Return the route of the public keys (RFC 7517)."""
    routes = Blueprint("jwks", __name__)

    @routes.get("/.well-known/jwks.json")
    def jwks() -> Response:
        response = Response(orjson.dumps(keys.jwks()), content_type="application/json")
        response.headers["Cache-Control"] = f"public, max-age={_CACHE_SECONDS}"
        # Equal keys give equal bytes, in every worker: so does the tag of them.
        response.add_etag()
        response.make_conditional(request)
        return response

    return routes
