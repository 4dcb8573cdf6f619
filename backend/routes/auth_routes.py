"""Log in by phone: send a code, check it, ask how it stands."""

import re

from flask import Blueprint, Response, request

from backend.body import read_body
from backend.callers import Callers
from backend.composition.identity import Identity
from backend.credentials import Credentials
from backend.devices import coarse_device
from backend.errors import BodyError
from backend.logins import login_response
from backend.responses import json_response
from backend.schemas.otp import SendOtpRequest, VerifyOtpRequest
from backend.wiring import Services
from services.abuse.asking import Caller
from services.identity.people.records import SessionPrize
from services.otp.answers import SendRequest, Started, Verified
from services.otp.codes import Purpose, VerificationId

# In a path: who spells a number otherwise is told so. No verification id is digits.
_PHONE = re.compile(r"\+?[0-9]{4,20}", re.ASCII)


def auth_routes(
    services: Services, credentials: Credentials, callers: Callers
) -> Blueprint:
    """Return the routes that people meet."""
    routes = Blueprint("auth", __name__)
    identity = services.identity

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
                challenge_solution=body.challenge_solution,
                device_token=body.device_token,
                device_id=body.device_id,
                platform=body.platform,
            ),
            credentials.caller(request, body.end_user_ip),
        )
        response = json_response(_send_view(started), status=202)
        _add_rate_limit(response, started)
        return response

    @routes.post("/api/verify-otp")
    def verify_otp() -> Response:
        body = read_body(request, VerifyOtpRequest)
        if body.session == "cookie" and callers.is_foreign(request):
            # It would never be read from there; better told before the code is used.
            message = "Cookies are for pages of STOREFRONT_ORIGINS"
            field = {"field": "session", "message": message}
            raise BodyError("invalid_request", [field])
        caller = credentials.caller(request, body.end_user_ip)
        won = services.otp.check(
            verification_id=body.verification_id,
            phone_text=body.phone,
            country=body.country,
            code=body.otp,
            caller=caller,
            prize=lambda e164, purpose: _prize(identity, body, caller, e164, purpose),
        )
        if won.purpose == "verify":
            return json_response(_receipt(identity, won, caller))
        return login_response(
            identity,
            identity.sessions.opened(won.phone.e164, won.result),
            won.phone.e164,
            devices=services.abuse.devices,
            first=won.first_login,
            by_cookie=body.session == "cookie",
        )

    @routes.get("/api/otp-status/<verification_id>")
    def otp_status(verification_id: str) -> Response:
        verification = VerificationId.parse(verification_id)
        if verification is not None:
            status = services.otp.status(verification, callers.identify(request))
        elif _PHONE.fullmatch(verification_id):
            client = credentials.client(request, scope="otp:status")
            status = services.otp.status_of_phone(
                verification_id, callers.on_behalf(request, client.id, None)
            )
        else:
            field = {"field": "verification_id", "message": "Not a verification id"}
            raise BodyError("invalid_request", [field])
        return json_response(status)

    return routes


def _send_view(started: Started) -> dict[str, object]:
    """Show a send (``schemas.SendOtpResponse``)."""
    return {
        "verification_id": str(started.id),
        "phone": started.phone.masked,
        "purpose": started.id.purpose,
        "channel": started.delivery.channel,
        "expires_in": started.expires_in,
        "code_length": started.id.digits,
        "attempts_left": started.attempts_left,
        "delivery": started.delivery,
        "next": started.next,
    }


def _prize(
    identity: Identity,
    body: VerifyOtpRequest,
    caller: Caller,
    e164: str,
    purpose: Purpose,
) -> SessionPrize:
    """Say what a right code wins: a session, or (``verify``) whose phone it is."""
    if purpose == "verify":
        return identity.sessions.name_only(e164)
    return identity.sessions.prize(
        e164,
        client_id=caller.storefront,
        device=body.device_name or coarse_device(request.headers.get("User-Agent", "")),
        scope=body.scope or "",
    )


def _receipt(identity: Identity, won: Verified, caller: Caller) -> dict[str, object]:
    """Show a verified phone (``schemas.VerificationResponse``)."""
    holder = identity.sessions.holder(won.result)
    return {
        "verified": True,
        "verification_token": identity.tokens.issue_verification(
            subject=holder.subject,
            e164=won.phone.e164,
            client_id=caller.storefront,
            amr=holder.amr,
        ),
        "expires_in": identity.tokens.ttl_seconds,
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
