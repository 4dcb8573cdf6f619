"""A person takes their account along to another number."""

from contextlib import suppress

from flask import Blueprint, Response, request

from backend.body import read_body
from backend.callers import Callers
from backend.credentials import Credentials
from backend.errors import BodyError
from backend.logins import login_response
from backend.schemas.people import ChangePhoneRequest
from backend.wiring import Services
from services.errors import FreshLoginRequired, StoreUnavailable
from services.identity.people.records import Session, SessionDraft
from services.otp.codes import Purpose


def phone_routes(
    services: Services, credentials: Credentials, callers: Callers
) -> Blueprint:
    """Return the route of the phone change.

    It takes two proofs: a login on the old number just now, and a code on the new one
    (NIST SP 800-63B 4.1.2.1: a new authenticator is bound after a login at least as
    good).
    """
    routes = Blueprint("phone", __name__)
    identity = services.identity

    @routes.post("/api/me/phone")
    def change_phone() -> Response:
        own = credentials.person(request)
        if own.age > FreshLoginRequired.max_age_seconds:
            raise FreshLoginRequired
        body = read_body(request, ChangePhoneRequest)
        old = identity.sessions.phone_of(own)
        phone, _ = services.phonebook.read(body.phone, body.country)
        if phone.e164 == old:
            field = {"field": "phone", "message": "The account has this number now"}
            raise BodyError("invalid_request", [field])
        session = move(own, body)
        # That number is nobody's now: the next login there is a first one.
        with suppress(StoreUnavailable):
            services.otp.forget_login(own.tag)
        services.notices.number_changed(old, phone.e164)
        return login_response(
            identity,
            session,
            phone.e164,
            first=False,
            by_cookie=body.session == "cookie",
        )

    def move(own: Session, body: ChangePhoneRequest) -> Session:
        caller = callers.identify(request)

        def adopting(e164: str, _: Purpose) -> SessionDraft:
            return identity.sessions.draft(
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
            winning=adopting,
            purposes=["change"],
        )
        return identity.sessions.opened(won.draft, won.won)

    return routes
