"""The OAuth routes as the OpenAPI document shows them."""

from backend.openapi.operation import Operation
from backend.schemas.oauth import (
    IntrospectRequest,
    IntrospectResponse,
    MetadataResponse,
    RevokeRequest,
    TokenRequest,
    TokenResponse,
)

# What is wrong with a service token.
SERVICE_PROBLEMS = ("invalid_token", "insufficient_scope")

_FORM_PROBLEMS = ("bad_request", "payload_too_large", "unsupported_media_type")

TOKEN_OPERATIONS = (
    Operation(
        method="post",
        path="/api/token",
        summary="Renew a session, or get a service token (RFC 6749).",
        status=200,
        body=TokenRequest,
        answers=(TokenResponse,),
        problems=(
            *_FORM_PROBLEMS,
            "invalid_client",
            "invalid_grant",
            "invalid_scope",
            "unsupported_grant_type",
            "store_unavailable",
        ),
        security=("", "serviceClient"),
        is_oauth=True,
    ),
    Operation(
        method="post",
        path="/api/token/introspect",
        summary="Tell the live truth about a token (RFC 7662).",
        status=200,
        body=IntrospectRequest,
        answers=(IntrospectResponse,),
        problems=(
            *_FORM_PROBLEMS,
            "invalid_client",
            *SERVICE_PROBLEMS,
            "store_unavailable",
        ),
        # By a client_assertion in the form, no scheme is needed.
        security=("serviceClient", "serviceToken", ""),
        is_oauth=True,
    ),
    Operation(
        method="post",
        path="/api/token/revoke",
        summary="End the session of a token (RFC 7009).",
        status=200,
        body=RevokeRequest,
        answers=(),
        problems=(
            *_FORM_PROBLEMS,
            "invalid_client",
            *SERVICE_PROBLEMS,
            "unsupported_token_type",
            "store_unavailable",
        ),
        security=("", "serviceClient", "serviceToken"),
        is_oauth=True,
    ),
    Operation(
        method="get",
        path="/.well-known/oauth-authorization-server",
        summary="What a stock OAuth client needs to know (RFC 8414).",
        status=200,
        answers=(MetadataResponse,),
    ),
    Operation(
        method="get",
        path="/.well-known/oauth-authorization-server/{of_issuer}",
        summary="The same, where the issuer has a path (RFC 8414 3.1).",
        status=200,
        answers=(MetadataResponse,),
        problems=("not_found",),
    ),
)
