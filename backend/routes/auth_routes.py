"""Log in by phone: send a code, check it, ask how it stands, ask who I am."""

from flask import Blueprint, Response, request

from backend.body import read_body
from backend.callers import Callers
from backend.errors import BodyError
from backend.responses import json_response
from backend.schemas import (
    MeResponse,
    SendOtpRequest,
    SessionView,
    User,
    VerifyOtpRequest,
)
from backend.wiring import Services
from services.errors import InvalidToken
from services.identity.sessions import SessionDraft
from services.otp.answers import SendRequest, Started
from services.otp.codes import CODE_DIGITS, VerificationId


def auth_routes(services: Services, callers: Callers) -> Blueprint:
    """Return the routes that people meet."""
    routes = Blueprint("auth", __name__)

    @routes.post("/api/send-otp")
    def send_otp() -> Response:
        body = read_body(request, SendOtpRequest)
        started = services.otp.start(
            SendRequest(
                phone=body.phone,
                country=body.country,
                channel=body.channel,
                purpose=body.purpose,
                locale=body.locale,
                accept_language=request.headers.get("Accept-Language"),
                client=body.client,
                verification_id=body.verification_id,
            ),
            callers.identify(request),
        )
        response = json_response(_send_view(started), status=202)
        _add_rate_limit(response, started)
        return response

    @routes.post("/api/verify-otp")
    def verify_otp() -> Response:
        body = read_body(request, VerifyOtpRequest)
        caller = callers.identify(request)
        won = services.otp.check(
            verification_id=body.verification_id,
            phone_text=body.phone,
            country=body.country,
            code=body.otp,
            caller=caller,
            draft=services.sessions.draft,
        )
        if won.session is None:
            return json_response(_receipt(services, won.phone.e164, caller.storefront))
        return json_response(
            _login(services, won.session, caller.storefront, first=won.first_login)
        )

    @routes.get("/api/otp-status/<verification_id>")
    def otp_status(verification_id: str) -> Response:
        verification = VerificationId.parse(verification_id)
        if verification is None:
            field = {"field": "verification_id", "message": "Not a verification id"}
            raise BodyError("invalid_request", [field])
        status = services.otp.status(verification, callers.identify(request))
        return json_response(status)

    @routes.get("/api/me")
    def me() -> Response:
        token = services.tokens.check_access(_bearer())
        session = services.sessions.find(token.session_id)
        return json_response(
            MeResponse(
                user=User(id=session.subject, phone=session.phone, roles=session.roles),
                session=SessionView(
                    id=session.id,
                    created_at=session.created,
                    expires_in=token.expires_in,
                ),
            )
        )

    return routes


def _send_view(started: Started) -> dict[str, object]:
    """Show a send (``schemas.SendOtpResponse``)."""
    return {
        "verification_id": str(started.id),
        "phone": started.phone.masked,
        "purpose": started.id.purpose,
        "channel": started.delivery.channel,
        "expires_in": started.expires_in,
        "code_length": CODE_DIGITS,
        "attempts_left": started.attempts_left,
        "delivery": started.delivery,
        "next": started.next,
    }


def _login(
    services: Services, draft: SessionDraft, client_id: str, *, first: bool
) -> dict[str, object]:
    """Show a login (``schemas.LoginResponse``)."""
    session = draft.session
    return {
        "verified": True,
        "access_token": services.tokens.issue_access(session, client_id=client_id),
        "token_type": "Bearer",
        "expires_in": services.tokens.ttl_seconds,
        "user": {
            "id": session.subject,
            "phone": session.phone,
            "roles": session.roles,
            "first_login": first,
        },
    }


def _receipt(services: Services, e164: str, client_id: str) -> dict[str, object]:
    """Show a verified phone (``schemas.VerificationResponse``)."""
    return {
        "verified": True,
        "verification_token": services.tokens.issue_verification(
            subject=services.subjects.subject_of(e164), e164=e164, client_id=client_id
        ),
        "expires_in": services.tokens.ttl_seconds,
    }


def _add_rate_limit(response: Response, started: Started) -> None:
    """Show the caller's own limits (draft-ietf-httpapi-ratelimit-headers-10).

    Limits on the phone are never shown: they would tell who else asked for it.
    """
    if not started.quotas:
        return
    response.headers["RateLimit-Policy"] = ", ".join(
        f'"{it.limit}_{it.window_seconds}";q={it.capacity};w={it.window_seconds}'
        for it in started.quotas
    )
    response.headers["RateLimit"] = ", ".join(
        f'"{it.limit}_{it.window_seconds}";r={it.left};t={it.reset_seconds}'
        for it in started.quotas
    )


def _bearer() -> str:
    """Return the bearer token (RFC 6750 2.1: from the header, never from the query)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken
    return token.strip()
