"""Whatever comes in: never a 5xx, always a problem document, nothing sent by chance."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import PROBLEM_TYPE, PROBLEMS
from tests.backend.api import PHONE, Answer, Api
from tests.backend.conftest import MakeApi

# The service outlives an example: what one leaves behind is no concern of the next.
FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ROUTES = ["/api/send-otp", "/api/verify-otp"]
FIELDS = ["phone", "country", "channel", "purpose", "locale", "client"]
FIELDS += ["verification_id", "otp"]
# All of Unicode, lone surrogates and what was never assigned included.
ANY_TEXT = st.text(st.characters())
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=10,
)
NUMBER_LIKE = st.text("+0123456789 ()-.٣９xO\u200b\x00", max_size=64)


@pytest.fixture
def open_api(make_api: MakeApi) -> Iterator[Api]:
    """A service whose limits are out of the way."""
    limits = dict.fromkeys(
        ("SENDS_PER_IP", "SENDS_PER_PREFIX", "WRONG_CHECKS_PER_IP"), "off"
    )
    api = make_api(**limits, WRONG_CHECKS_GLOBAL="off")
    yield api
    # A digit more or less may well be another valid number; a text, then, is right.
    assert {it.outcome for it in api.simulator.messages()} <= {"accepted"}


def assert_answered(answer: Answer, good: int) -> None:
    assert answer.headers["X-Request-Id"]
    if answer.status_code == good:
        return
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.content_type == PROBLEM_TYPE
    assert answer.json["code"] in PROBLEMS
    assert answer.json["status"] == answer.status_code


@pytest.mark.parametrize("path", ROUTES)
@FUZZ
@given(body=st.binary(max_size=5000))
def test_any_bytes_are_answered(open_api: Api, path: str, body: bytes) -> None:
    answer = open_api.call("POST", path, data=body, content_type="application/json")

    assert answer.status_code in {400, 413, 422}
    assert_answered(answer, good=0)
    assert open_api.simulator.messages() == []


@pytest.mark.parametrize("path", ROUTES)
@FUZZ
@given(document=ANY_JSON)
def test_any_json_is_answered(open_api: Api, path: str, document: Any) -> None:
    answer = open_api.call(
        "POST", path, data=json.dumps(document), content_type="application/json"
    )

    assert answer.status_code in {400, 413, 422}
    assert_answered(answer, good=0)
    assert open_api.simulator.messages() == []


@pytest.mark.parametrize("name", FIELDS)
@FUZZ
@given(value=ANY_TEXT | NUMBER_LIKE)
def test_any_text_in_any_field_is_answered(
    open_api: Api, name: str, value: str
) -> None:
    body = {"verification_id": "A" * 43, "phone": PHONE, "otp": "123456"}
    path = "/api/verify-otp"
    if name not in body:
        body, path = {"phone": PHONE}, "/api/send-otp"

    answer = open_api.call(
        "POST",
        path,
        data=json.dumps(body | {name: value}),
        content_type="application/json",
    )

    assert_answered(answer, good=202)


@FUZZ
@given(phone=NUMBER_LIKE, country=st.none() | st.sampled_from(["IN", "US", "GB", "AC"]))
def test_any_number_like_text_is_answered(
    open_api: Api, phone: str, country: str | None
) -> None:
    assert_answered(open_api.send(phone, country=country), good=202)


@FUZZ
@given(
    path=st.binary(max_size=100)
    | ANY_TEXT.map(lambda text: text.encode(errors="replace"))
)
def test_any_path_is_answered(open_api: Api, path: bytes) -> None:
    for prefix in ("/api/otp-status/", "/api/", "/", ""):
        raw = prefix + path.decode("latin-1")

        answer = open_api.call("GET", "/", environ_overrides={"PATH_INFO": raw})

        assert_answered(answer, good=200)


@FUZZ
@given(header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_header_is_answered(open_api: Api, header: str) -> None:
    names = ("HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_X_FORWARDED_FOR")
    for name in (*names, "HTTP_X_REQUEST_ID", "HTTP_HOST", "CONTENT_TYPE"):
        answer = open_api.call("GET", "/api/me", environ_overrides={name: header})

        assert_answered(answer, good=0)


@FUZZ
@given(
    token=st.text("abcABC012-_=.", max_size=60)
    | st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]*")
)
def test_any_token_is_refused(open_api: Api, token: str) -> None:
    raw = f"Bearer {token}".encode().decode("latin-1")

    answer = open_api.call(
        "GET", "/api/me", environ_overrides={"HTTP_AUTHORIZATION": raw}
    )

    assert answer.status_code == 401
