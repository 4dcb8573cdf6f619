"""Captchas of other vendors: Turnstile, hCaptcha and reCAPTCHA by one interface.

The page shows the vendor's widget and gets a token, which the vendor takes once. What
the vendor is told here: our secret, the token, the site key (hCaptcha) and, where the
caller's network is one public IPv4 address, that. Never the phone number or its tag;
Turnstile hands our ticket back, which names nobody.

What an answer is held to:

==========  ==========================================================================
turnstile   ``action`` and ``cdata`` (the ticket: phone, network, ten minutes), host
hcaptcha    host; a token lives two minutes
recaptcha   host; v3, which has a score, also the least score and ``action``
==========  ==========================================================================
"""

from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Any, Final, Literal

import orjson

from services.abuse.challenges.challenger import Subject, Unsolved
from services.abuse.challenges.gate import Gate
from services.abuse.challenges.tickets import Tickets, name_of
from services.outcomes import ChallengeOutcome

CaptchaName = Literal["turnstile", "hcaptcha", "recaptcha"]

# Posts a form and returns status and body; raises Unsolved("unavailable") without one.
Post = Callable[[Mapping[str, str]], tuple[int, bytes]]

# Both vendors that have actions take letters and underscores.
ACTION: Final = "send_otp"

VERIFY_URLS: Mapping[CaptchaName, str] = {
    "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    "hcaptcha": "https://api.hcaptcha.com/siteverify",
    "recaptcha": "https://www.google.com/recaptcha/api/siteverify",
}

# Where v3 of reCAPTCHA advises to begin.
MIN_SCORE = 0.5

# Their words for what is wrong. Only what no token can cause counts as our trouble:
# whoever could make the vendor seem away would be let in by less.
_OUTCOMES: Mapping[str, ChallengeOutcome] = {
    "missing-input-secret": "unavailable",
    "invalid-input-secret": "unavailable",
    "internal-error": "unavailable",
    "missing-input-response": "malformed",
    "bad-request": "malformed",
    "invalid-input-response": "forged",
    "sitekey-secret-mismatch": "forged",
    "expired-input-response": "late",
    # Late or used: two of the vendors do not tell which.
    "timeout-or-duplicate": "late",
    "already-seen-response": "used",
    "invalid-or-already-seen-response": "used",
    "browser-error": "refused",
}

_SERVER_FAULT = 500
_TOO_MANY = 429


class Captcha:
    """One vendor's captcha. Safe to share between threads."""

    def __init__(
        self,
        name: CaptchaName,
        *,
        site_key: str,
        secret_key: str,
        hostnames: Collection[str],
        post: Post,
        gate: Gate,
        tickets: Tickets,
        min_score: float = MIN_SCORE,
    ) -> None:
        """``hostnames``: of the pages that may show the widget; empty means any."""
        self.name = name
        self._site_key = site_key
        self._secret_key = secret_key
        self._hostnames = frozenset(hostnames)
        self._post = post
        self._gate = gate
        self._tickets = tickets
        self._min_score = min_score

    @property
    def is_away(self) -> bool:
        """Whether the vendor failed so often that nobody asks it now."""
        return self._gate.is_closed

    def make(self, subject: Subject, difficulty: int) -> Mapping[str, Any]:
        """Return what the page hands to the vendor's widget; it sets the difficulty."""
        del difficulty
        challenge = {"type": self.name, "site_key": self._site_key}
        if self.name != "hcaptcha":
            challenge["action"] = ACTION
        if self.name == "turnstile":
            challenge["cdata"] = self._tickets.issue(subject)
        return challenge

    def check(self, solution: str, subject: Subject) -> str:
        """Return what names a token that the vendor took just now.

        Raises:
            Unsolved: as ever; ``unavailable`` when nobody can tell.
        """
        if not (solution.isascii() and solution.isprintable()) or " " in solution:
            raise Unsolved("malformed")
        with self._gate.call():
            answer = _read(*self._post(self._form(solution, subject)))
            if answer["success"] is not True:
                raise _refusal(answer)
        self._hold_to_promise(answer, subject)
        return name_of(self.name, solution)

    def _form(self, token: str, subject: Subject) -> dict[str, str]:
        form = {"secret": self._secret_key, "response": token}
        if self.name == "hcaptcha":
            form["sitekey"] = self._site_key
        if address := _address_of(subject.network):
            form["remoteip"] = address
        return form

    def _hold_to_promise(self, answer: Mapping[str, Any], subject: Subject) -> None:
        """See that the token was made on our page, for this."""
        if self._hostnames and answer.get("hostname") not in self._hostnames:
            raise Unsolved("refused", reason="hostname")
        if self.name == "turnstile":
            if answer.get("action") != ACTION:
                raise Unsolved("refused", reason="action")
            self._tickets.check(answer.get("cdata"), subject, difficulty=1)
        if self.name == "recaptcha" and "score" in answer:
            score = answer["score"]
            if answer.get("action") != ACTION:
                raise Unsolved("refused", reason="action")
            if not isinstance(score, int | float) or score < self._min_score:
                raise Unsolved("refused", reason="score")


def _read(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except ValueError:
        answer = None
    readable = isinstance(answer, dict) and isinstance(answer.get("success"), bool)
    if not readable or status >= _SERVER_FAULT or status == _TOO_MANY:
        raise Unsolved("unavailable", reason=f"status {status}")
    return dict(answer)


def _refusal(answer: Mapping[str, Any]) -> Unsolved:
    codes = answer.get("error-codes")
    known = [
        it
        for it in (codes if isinstance(codes, list) else [])
        if isinstance(it, str) and it in _OUTCOMES
    ]
    # What they say besides is not repeated: it could be anything.
    if not known:
        return Unsolved("refused", reason="other")
    return Unsolved(_OUTCOMES[known[0]], reason=known[0])


def _address_of(network: str) -> str | None:
    """Return the one address that a network is, if others can know it."""
    # Behind a service's id there is a space.
    try:
        address = ip_address(network.rpartition(" ")[2])
    except ValueError:
        return None
    public = isinstance(address, IPv4Address) and address.is_global
    return str(address) if public else None
