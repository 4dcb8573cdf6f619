"""Every route as the OpenAPI document shows it."""

from backend.openapi.abuse_operations import ABUSE_OPERATIONS
from backend.openapi.admin_operations import ADMIN_OPERATIONS
from backend.openapi.oauth_operations import SERVICE_PROBLEMS, TOKEN_OPERATIONS
from backend.openapi.operation import BODY_PROBLEMS, PHONE_PROBLEMS, Operation
from backend.openapi.people_operations import PEOPLE_OPERATIONS
from backend.schemas.otp import (
    LoginResponse,
    SendOtpRequest,
    SendOtpResponse,
    StatusResponse,
    VerificationResponse,
    VerifyOtpRequest,
)
from backend.schemas.service import (
    AboutResponse,
    HealthResponse,
    JwksResponse,
    LiveResponse,
)

_HEALTH = "application/health+json"

OPERATIONS = (
    Operation(
        method="post",
        path="/api/send-otp",
        summary="Send a code to a phone, or the same code again.",
        status=202,
        body=SendOtpRequest,
        answers=(SendOtpResponse,),
        problems=(
            *BODY_PROBLEMS,
            *PHONE_PROBLEMS,
            "verification_gone",
            "phone_locked",
            "phone_disabled",
            "device_token_invalid",
            "challenge_required",
            "caller_blocked",
            "rate_limited",
            "spend_limit",
            "channel_not_available",
            "recipient_unreachable",
            "delivery_unavailable",
            *SERVICE_PROBLEMS,
            "store_unavailable",
        ),
        security=("", "serviceToken"),
    ),
    Operation(
        method="post",
        path="/api/verify-otp",
        summary="Check the code that the person typed.",
        status=200,
        body=VerifyOtpRequest,
        answers=(LoginResponse, VerificationResponse),
        problems=(
            *BODY_PROBLEMS,
            *PHONE_PROBLEMS,
            "wrong_code",
            "verification_gone",
            "attempts_exhausted",
            "phone_locked",
            "phone_disabled",
            "rate_limited",
            "subject_frozen",
            *SERVICE_PROBLEMS,
            "store_unavailable",
        ),
        security=("", "serviceToken"),
    ),
    Operation(
        method="get",
        path="/api/otp-status/{verification_id}",
        summary="Tell how a verification stands. Who holds its id may ask, or a service"
        " with otp:status, which may name the phone instead.",
        status=200,
        answers=(StatusResponse,),
        problems=(
            "invalid_request",
            *PHONE_PROBLEMS,
            *SERVICE_PROBLEMS,
            "not_found",
            "store_unavailable",
        ),
        security=("", "serviceToken"),
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
    *PEOPLE_OPERATIONS,
    Operation(
        method="get",
        path="/.well-known/jwks.json",
        summary="The keys that verify our tokens (RFC 7517).",
        status=200,
        answers=(JwksResponse,),
    ),
    Operation(
        method="get",
        path="/api/health",
        summary="Health of the service and of each dependency; calls no vendor.",
        status=200,
        answers=(HealthResponse,),
        content_type=_HEALTH,
        failing=503,
    ),
    Operation(
        method="get",
        path="/livez",
        summary="The process runs; restart it if this fails.",
        status=200,
        answers=(LiveResponse,),
        content_type=_HEALTH,
    ),
    Operation(
        method="get",
        path="/readyz",
        summary="The service can serve; send it no traffic while this fails.",
        status=200,
        answers=(HealthResponse,),
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
        answers=(AboutResponse,),
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
    *TOKEN_OPERATIONS,
    *ADMIN_OPERATIONS,
    *ABUSE_OPERATIONS,
)
