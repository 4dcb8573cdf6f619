"""The Python kit's verifier: what a good token says, and which tokens are good."""

from typing import Any

import pytest

from quickcart_auth import Introspection, InvalidToken, Verifier
from quickcart_auth.http import Document, Endpoint
from quickcart_auth.identity import Identity
from quickcart_auth.introspection import Introspector
from tests.clients.python.kit import NOW, PEM, Served, make_verifier
from tests.corpus.forge import MISSING, Forge
from tests.corpus.good import (
    AUDIENCE,
    ISSUER,
    PHONE,
    SESSION,
    SUBJECT,
    good_access,
    good_receipt,
    new_key,
)
from tests.corpus.tokens import service_tokens

ACCESS, RECEIPT = good_access(PEM, now=NOW), good_receipt(PEM, now=NOW)
FORGE = Forge.of(ACCESS, PEM)


def reason_of(verifier: Verifier, token: Any, **options: Any) -> str:
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(token, **options)
    return refused.value.reason


@pytest.fixture
def verifier() -> Verifier:
    return make_verifier(Served(FORGE))


def test_a_good_token_says_who_calls(verifier: Verifier) -> None:
    identity = verifier.verify(ACCESS)

    assert identity == Identity(
        subject=SUBJECT,
        session_id=SESSION,
        client_id="https://shop.example",
        roles=("customer",),
        scopes=frozenset(),
        auth_time=NOW,
        amr=("sms",),
        acr="aal1",
        issued_at=NOW,
        expires_at=NOW + 600,
        phone=None,
        is_service=False,
        claims=FORGE.claims,
    )


def test_the_phone_is_there_by_its_scope_and_in_no_repr(verifier: Verifier) -> None:
    phone: dict[str, Any] = {"phone_number": PHONE, "phone_number_verified": True}
    token = good_access(PEM, now=NOW, scope="phone orders", **phone)

    identity = verifier.verify(token)

    assert identity.phone == PHONE
    assert identity.scopes == {"phone", "orders"}
    assert PHONE not in repr(identity)


def test_a_receipt_says_which_phone_was_verified_for_what(verifier: Verifier) -> None:
    receipt = verifier.verify_receipt(RECEIPT)

    assert (receipt.phone, receipt.purpose) == (PHONE, "verify")
    assert (receipt.verified_at, receipt.expires_at) == (NOW, NOW + 600)
    assert receipt.subject == SUBJECT
    assert PHONE not in repr(receipt)


@pytest.mark.parametrize("verified", [False, "true", 1, MISSING], ids=str)
def test_a_phone_that_is_not_verified_is_none(
    verifier: Verifier, verified: object
) -> None:
    token = FORGE.with_claims(phone_number=PHONE, phone_number_verified=verified)

    assert verifier.verify(token).phone is None


def test_a_receipt_can_be_asked_for_of_one_phone(verifier: Verifier) -> None:
    assert verifier.verify_receipt(RECEIPT, phone=PHONE).phone == PHONE

    with pytest.raises(InvalidToken) as refused:
        verifier.verify_receipt(RECEIPT, phone="+919876543211")
    assert refused.value.reason == "phone"


@pytest.mark.parametrize(("age", "good"), [(60, True), (61, False)])
def test_a_receipt_can_be_asked_for_of_just_now(age: int, *, good: bool) -> None:
    verifier = make_verifier(Served(FORGE), now=NOW + age)

    if good:
        assert verifier.verify_receipt(RECEIPT, max_age_seconds=60).phone == PHONE
        return
    with pytest.raises(InvalidToken) as refused:
        verifier.verify_receipt(RECEIPT, max_age_seconds=60)
    assert refused.value.reason == "age"


@pytest.mark.parametrize(
    ("seconds", "good"), [(-31, False), (-30, True), (629, True), (630, False)]
)
def test_clocks_may_differ_by_half_a_minute(seconds: int, *, good: bool) -> None:
    verifier = make_verifier(Served(FORGE), now=NOW + seconds)

    if good:
        assert verifier.verify(ACCESS).subject == SUBJECT
    else:
        expected = "expired" if seconds > 0 else "not yet valid"
        assert reason_of(verifier, ACCESS) == expected


def test_a_service_is_refused_unless_services_are_allowed(verifier: Verifier) -> None:
    own, for_us = (it.token for it in service_tokens(ACCESS, PEM))

    assert reason_of(verifier, for_us) == "service"
    identity = verifier.verify(for_us, allow_service=True)

    assert (identity.is_service, identity.subject) == (True, "svc-orders")
    assert (identity.session_id, identity.auth_time) == ("", 0)
    # What services show to the auth service is for nobody else.
    assert reason_of(verifier, own, allow_service=True) == "audience"


def test_a_person_without_a_session_is_no_service(verifier: Verifier) -> None:
    token = FORGE.with_claims(sid=MISSING)

    assert reason_of(verifier, token, allow_service=True) == "service"


@pytest.mark.parametrize(
    "changed",
    [
        {"roles": "admin"},
        {"roles": [1]},
        {"roles": None},
        {"scope": ["phone"]},
        {"scope": None},
        {"sid": 1},
        {"sid": ""},
        {"auth_time": "now"},
        {"auth_time": True},
        {"amr": "sms"},
        {"acr": 1},
        {"phone_number": 919876543210, "phone_number_verified": True},
        {"phone_number_verified": True},
        {"auth_time": 10**300},
        {"auth_time": -1},
    ],
    ids=str,
)
def test_claims_of_another_shape_are_refused(
    verifier: Verifier, changed: dict[str, Any]
) -> None:
    assert reason_of(verifier, FORGE.with_claims(**changed)) == "claims"


@pytest.mark.parametrize(
    "changed",
    [
        {"phone_number_verified": False},
        {"phone_number_verified": "true"},
        {"phone_number_verified": MISSING},
        {"phone_number": MISSING},
        {"purpose": MISSING},
        {"purpose": "change"},
        {"purpose": "login"},
        {"auth_time": MISSING},
    ],
    ids=str,
)
def test_a_receipt_that_verifies_nothing_is_refused(
    verifier: Verifier, changed: dict[str, Any]
) -> None:
    token = Forge.of(RECEIPT, PEM).with_claims(**changed)

    with pytest.raises(InvalidToken):
        verifier.verify_receipt(token)


def test_why_a_token_is_refused_is_logged_and_the_token_is_not(
    verifier: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "quickcart_auth")
    expired = FORGE.with_claims(exp=NOW - 31)

    reason_of(verifier, expired)
    with pytest.raises(InvalidToken):
        verifier.verify_receipt(ACCESS)
    verifier.verify(ACCESS)

    logged = [(it.name, it.levelname, it.getMessage()) for it in caplog.records]
    assert logged == [
        ("quickcart_auth", "INFO", "token refused: expired"),
        ("quickcart_auth", "INFO", "token refused: type"),
    ]


@pytest.mark.parametrize("token", [None, b"a.b.c", 1, "", "é.é.é", "a" * 100_000])
def test_what_is_no_text_or_no_token_is_refused(verifier: Verifier, token: Any) -> None:
    assert reason_of(verifier, token) == "malformed"


def test_an_algorithm_that_is_not_wanted_is_no_key() -> None:
    verifier = Verifier(
        ISSUER, AUDIENCE, algorithms=["ES256"], fetch=(served := Served(FORGE))
    )
    pem = new_key("EdDSA")
    token = good_access(pem, now=NOW, kid="other")
    served.jwks.append(Forge.of(token, pem).jwk)

    assert reason_of(verifier, token) == "unknown key"


@pytest.mark.parametrize("algorithms", [["HS256"], ["none"], ["ES256", "HS256"], []])
def test_algorithms_that_share_a_secret_cannot_be_asked_for(
    algorithms: list[str],
) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        Verifier(ISSUER, AUDIENCE, algorithms=algorithms)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://auth.shop.example",
        "ftp://auth.shop.example",
        "file:///etc/keys",
        "auth.shop.example",
        "https://",
        "https://user:secret@auth.shop.example",
        "http://127.0.0.1.evil.example",
        "",
    ],
)
def test_keys_come_over_https_alone(issuer: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        Verifier(issuer, AUDIENCE)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://auth.shop.example",
        "http://127.0.0.1:5000",
        "http://[::1]:5000",
        "http://localhost:5000",
    ],
)
def test_this_machine_may_do_without(issuer: str) -> None:
    assert not Verifier(issuer, AUDIENCE).can_ask


def test_plain_http_elsewhere_has_to_be_asked_for() -> None:
    with pytest.raises(ValueError, match="https"):
        Verifier(ISSUER, AUDIENCE, base_url="http://auth:5000")

    Verifier(ISSUER, AUDIENCE, base_url="http://auth:5000", allow_http=True)


class Answered(Endpoint):
    """An introspection endpoint without a network."""

    def __init__(self, **answer: Any) -> None:
        super().__init__("http://127.0.0.1:9/introspect")
        self.answer = answer

    def fetch(self, *_: Any, **__: Any) -> Document:
        return Document(self.answer)


@pytest.mark.parametrize("subject", ["somebody-else", None])
def test_what_lives_has_to_be_the_same_persons(subject: str | None) -> None:
    introspection = Introspection("svc-orders", "secret", cache_seconds=0)
    verifier = make_verifier(Served(FORGE), introspection=introspection)
    answered = Answered(active=True, sub=SUBJECT, roles=["admin"])
    verifier._introspector = Introspector(introspection, answered)

    assert verifier.verify(ACCESS, live=True).roles == ("admin",)
    answered.answer["sub"] = subject

    assert reason_of(verifier, ACCESS, live=True) == "inactive"


def test_live_needs_somebody_to_ask(verifier: Verifier) -> None:
    with pytest.raises(ValueError, match="introspection"):
        verifier.verify(ACCESS, live=True)
