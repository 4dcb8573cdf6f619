"""Builds the challenges that the settings ask for."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from backend.composition.secrets import Secrets
from backend.composition.vendors import OpenTransport
from config.config import Settings
from services.abuse.challenges.captchas import (
    MIN_SCORE,
    VERIFY_URLS,
    Captcha,
    Post,
)
from services.abuse.challenges.challenger import Unsolved
from services.abuse.challenges.challenges import Challenges
from services.abuse.challenges.gate import Gate
from services.abuse.challenges.proof_of_work import ProofOfWork
from services.abuse.challenges.tickets import Tickets
from services.events import Emit
from services.sms.provider import ProviderFailure
from services.sms.transport import Transport, form_body
from utils.clock import Clock

# A person waits for it before the message is even sent.
_VERIFY_SECONDS = 2.0


def build_challenges(
    settings: Settings,
    *,
    secrets: Secrets,
    open_transport: OpenTransport,
    clock: Clock,
    emit: Emit,
) -> Challenges:
    """Return the proof of work, and before it the captcha that is configured."""
    tickets = Tickets(keys=secrets.keys("challenge ticket"), clock=clock)
    return Challenges(
        proof_of_work=ProofOfWork(
            keys=secrets.keys("challenge"),
            tickets=tickets,
            difficulty=settings.challenge_difficulty,
        ),
        captcha=_captcha_of(
            settings, tickets=tickets, open_transport=open_transport, clock=clock
        ),
        emit=emit,
    )


def _captcha_of(
    settings: Settings,
    *,
    tickets: Tickets,
    open_transport: OpenTransport,
    clock: Clock,
) -> Captcha | None:
    secret_key = settings.challenge_secret_key
    if settings.challenge == "altcha" or secret_key is None:
        return None
    url = settings.challenge_verify_url or VERIFY_URLS[settings.challenge]
    score = settings.challenge_min_score
    return Captcha(
        settings.challenge,
        site_key=settings.challenge_site_key or "",
        secret_key=secret_key.get_secret_value(),
        hostnames=settings.challenge_hostnames or _hosts_of(settings),
        post=_post_to(open_transport(url), clock),
        gate=Gate(clock=clock),
        tickets=tickets,
        min_score=MIN_SCORE if score is None else score,
    )


def _hosts_of(settings: Settings) -> list[str]:
    """Return where the pages are that ask for codes; nothing where they may be any."""
    if "*" in settings.storefront_origins:
        return []
    return [urlsplit(it).hostname or "" for it in settings.storefront_origins]


def _post_to(transport: Transport, clock: Clock) -> Post:
    """Return what asks a captcha's vendor: bounded in time and size, no redirects."""

    def post(form: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            reply = transport.post(
                transport.base_url,
                form_body(form),
                deadline=clock.monotonic() + _VERIFY_SECONDS,
            )
        except ProviderFailure as failure:
            raise Unsolved("unavailable", reason=failure.vendor_code) from None
        return reply.status, reply.body

    return post
