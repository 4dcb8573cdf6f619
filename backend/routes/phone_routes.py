"""A person takes their account along to another number."""

from contextlib import suppress

from flask import Blueprint, Response, request

from backend.body import read_body
from backend.callers import Callers
from backend.cookies import read_refresh_cookie
from backend.credentials import Credentials
from backend.errors import BodyError
from backend.logins import login_response
from backend.schemas.people import ChangePhoneRequest
from backend.wiring import Services
from services.errors import FreshLoginRequired, InvalidToken, StoreUnavailable
from services.identity.people.records import Session, SessionPrize
from services.otp.codes import Purpose

# How long ago the login may be: time to get a message at the new number, and no more.
_FRESH_SECONDS = 300

_NOT_HELD = (
    "Send the session's newest refresh token beside the access token: as refresh_token,"
    " or by the cookie with its header."
)


def phone_routes(
    services: Services, credentials: Credentials, callers: Callers
) -> Blueprint:
    """Return the route of the phone change.

    It takes three proofs: a login on the old number just now, a code on the new one
    (NIST SP 800-63B 4.1.2.1: a new authenticator is bound after a login at least as
    good), and the session's newest refresh token. Access tokens are shown to every
    service; whoever comes by one must not walk away with the account.
    """
    routes = Blueprint("phone", __name__)
    identity = services.identity

    @routes.post("/api/me/phone")
    def change_phone() -> Response:
        own = credentials.person(request)
        if own.age > _FRESH_SECONDS:
            raise FreshLoginRequired(_FRESH_SECONDS)
        body = read_body(request, ChangePhoneRequest)
        prove_held(own, body)
        old = identity.sessions.phone_of(own)
        phone, _ = services.phonebook.read(body.phone, body.country)
        if phone.e164 == old:
            field = {"field": "phone", "message": "The account has this number now"}
            raise BodyError("invalid_request", [field])
        session = move(own, body)
        # That number is nobody's now: the next login there is a first one.
        with suppress(StoreUnavailable):
            services.otp.forget_holder(own.tag)
        services.notices.number_changed(old, phone.e164)
        return login_response(
            identity,
            session,
            phone.e164,
            devices=services.abuse.devices,
            first=False,
            by_cookie=body.refresh_token is None,
        )

    def prove_held(own: Session, body: ChangePhoneRequest) -> None:
        """Look for the refresh token of ``own``, in the body or in the cookie.

        Raises:
            InvalidToken: there is none, or not this session's newest.
        """
        token = body.refresh_token or read_refresh_cookie(
            request, callers, callers.storefront_of(request)
        )
        if token is None or not identity.sessions.is_newest(token, own):
            raise InvalidToken(detail=_NOT_HELD)

    def move(own: Session, body: ChangePhoneRequest) -> Session:
        caller = callers.identify(request)

        def adopting(e164: str, _: Purpose) -> SessionPrize:
            return identity.sessions.prize(
                e164,
                client_id=caller.storefront,
                device=own.device,
                scope=own.scope,
                moving=own,
            )

        won = services.otp.check(
            verification_id=body.verification_id,
            phone_text=body.phone,
            country=body.country,
            code=body.otp,
            caller=caller,
            prize=adopting,
            purposes=["change"],
        )
        return identity.sessions.opened(won.phone.e164, won.result)

    return routes
