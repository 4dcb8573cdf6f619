"""Every route as the OpenAPI document shows it."""

from dataclasses import dataclass

from pydantic import BaseModel

from backend import schemas

_JSON = "application/json"
_HEALTH = "application/health+json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the document shows it; ``problems`` are codes of the table."""

    method: str
    path: str
    summary: str
    status: int
    answers: tuple[type[BaseModel], ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    content_type: str = _JSON
    failing: int | None = None
    bearer: str | None = None


_BODY_PROBLEMS = (
    "malformed_request",
    "bad_request",
    "invalid_request",
    "payload_too_large",
    "unsupported_media_type",
)
_PHONE_PROBLEMS = ("phone_invalid", "phone_not_supported")

OPERATIONS = (
    Operation(
        method="post",
        path="/api/send-otp",
        summary="Send a code to a phone, or the same code again.",
        status=202,
        body=schemas.SendOtpRequest,
        answers=(schemas.SendOtpResponse,),
        problems=(
            *_BODY_PROBLEMS,
            *_PHONE_PROBLEMS,
            "verification_gone",
            "phone_locked",
            "rate_limited",
            "channel_not_available",
            "recipient_unreachable",
            "delivery_unavailable",
            "store_unavailable",
        ),
    ),
    Operation(
        method="post",
        path="/api/verify-otp",
        summary="Check the code that the person typed.",
        status=200,
        body=schemas.VerifyOtpRequest,
        answers=(schemas.LoginResponse, schemas.VerificationResponse),
        problems=(
            *_BODY_PROBLEMS,
            *_PHONE_PROBLEMS,
            "wrong_code",
            "verification_gone",
            "attempts_exhausted",
            "phone_locked",
            "rate_limited",
            "store_unavailable",
        ),
    ),
    Operation(
        method="get",
        path="/api/otp-status/{verification_id}",
        summary="Tell how a verification stands. Who holds its id may ask.",
        status=200,
        answers=(schemas.StatusResponse,),
        problems=("invalid_request", "not_found", "store_unavailable"),
    ),
    # Some vendors call with GET.
    *(
        Operation(
            method=method,
            path=path,
            summary="Take a vendor's delivery receipts; signed, or at a secret path.",
            status=204,
            answers=(),
            problems=(
                "invalid_signature",
                "not_found",
                "payload_too_large",
                "store_unavailable",
            ),
        )
        for path in ("/api/webhooks/{vendor}", "/api/webhooks/{vendor}/{token}")
        for method in ("get", "post")
    ),
    Operation(
        method="get",
        path="/api/me",
        summary="Tell who the bearer of the token is, if the session is alive.",
        status=200,
        answers=(schemas.MeResponse,),
        problems=("invalid_token", "store_unavailable"),
        bearer="accessToken",
    ),
    Operation(
        method="get",
        path="/.well-known/jwks.json",
        summary="The keys that verify our tokens (RFC 7517).",
        status=200,
        answers=(schemas.JwksResponse,),
    ),
    Operation(
        method="get",
        path="/api/health",
        summary="Health of the service and of each dependency; calls no vendor.",
        status=200,
        answers=(schemas.HealthResponse,),
        content_type=_HEALTH,
        failing=503,
    ),
    Operation(
        method="get",
        path="/livez",
        summary="The process runs; restart it if this fails.",
        status=200,
        answers=(schemas.LiveResponse,),
        content_type=_HEALTH,
    ),
    Operation(
        method="get",
        path="/readyz",
        summary="The service can serve; send it no traffic while this fails.",
        status=200,
        answers=(schemas.HealthResponse,),
        content_type=_HEALTH,
        failing=503,
    ),
    Operation(
        method="get",
        path="/metrics",
        summary="Metrics in Prometheus's text format; with METRICS_TOKEN set, by it.",
        status=200,
        answers=(),
        content_type="text/plain",
        problems=("invalid_token", "not_found"),
        bearer="metricsToken",
    ),
    Operation(
        method="get",
        path="/api",
        summary="What this is.",
        status=200,
        answers=(schemas.AboutResponse,),
    ),
    Operation(
        method="get",
        path="/api/openapi.json",
        summary="This document.",
        status=200,
        answers=(),
    ),
    Operation(
        method="get",
        path="/api/docs",
        summary="This document, to read.",
        status=200,
        answers=(),
        content_type="text/html",
    ),
)
