"""What a stock OAuth client needs to know, where it looks for it (RFC 8414)."""

from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from services.identity.clients.service_clients import SCOPES
from services.identity.keys.signing_keys import ALGORITHMS

_PATH = "/.well-known/oauth-authorization-server"

# As the JWKS: short enough to follow a change, long enough to be no load.
_CACHE_SECONDS = 300

_CLIENT_METHODS = ["client_secret_basic", "private_key_jwt"]


def metadata_routes(issuer: str) -> Blueprint:
    """Return the route; ``issuer`` is exactly what stands in tokens.

    The document of an issuer with a path is asked for with that path behind ours
    (RFC 8414 3.1), or in front of it, which a proxy takes away before we see it.
    """
    routes = Blueprint("metadata", __name__)
    encoded = orjson.dumps(metadata(issuer))
    issuer_path = urlsplit(issuer).path.strip("/")

    @routes.get(_PATH)
    @routes.get(f"{_PATH}/<path:of_issuer>")
    def authorization_server(of_issuer: str = "") -> Response:
        if of_issuer and of_issuer.strip("/") != issuer_path:
            raise NotFound
        response = Response(encoded, content_type="application/json")
        response.headers["Cache-Control"] = f"public, max-age={_CACHE_SECONDS}"
        response.add_etag()
        response.make_conditional(request)
        return response

    return routes


def metadata(issuer: str) -> dict[str, Any]:
    """Return the document; every address hangs off the issuer's."""
    base = issuer.rstrip("/")
    return {
        "issuer": issuer,
        "token_endpoint": f"{base}/api/token",
        "introspection_endpoint": f"{base}/api/token/introspect",
        "revocation_endpoint": f"{base}/api/token/revoke",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": ["refresh_token", "client_credentials"],
        # Nobody is sent here to log in: codes go to phones.
        "response_types_supported": [],
        "scopes_supported": ["phone", *SCOPES],
        "service_documentation": f"{base}/api/docs",
        **_authentication("token", ["none", *_CLIENT_METHODS]),
        **_authentication("introspection", _CLIENT_METHODS),
        **_authentication("revocation", ["none", *_CLIENT_METHODS]),
    }


def _authentication(endpoint: str, methods: list[str]) -> dict[str, Any]:
    prefix = f"{endpoint}_endpoint_auth"
    return {
        f"{prefix}_methods_supported": methods,
        f"{prefix}_signing_alg_values_supported": ALGORITHMS,
    }
