"""Whatever comes to the OAuth routes: never a 5xx, always an error as OAuth has it."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import PROBLEMS
from tests.backend.api import Answer, Api

# The service outlives an example: what one leaves behind is no concern of the next.
FUZZ = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PATHS = ["/api/token", "/api/token/introspect", "/api/token/revoke"]
FORM = "application/x-www-form-urlencoded"
TOKENS = st.text(max_size=80) | st.from_regex(r"qcr_[A-Za-z0-9_-]{71}", fullmatch=True)
ASSERTIONS = st.lists(st.binary(max_size=60), min_size=1, max_size=4).map(
    lambda parts: ".".join(base64.urlsafe_b64encode(it).decode() for it in parts)
)


def assert_refused(answer: Answer) -> None:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.content_type == "application/json"
    assert answer.json["error"]
    assert answer.json["code"] in PROBLEMS


@pytest.mark.parametrize("path", PATHS)
@FUZZ
@given(body=st.binary(max_size=5000))
def test_any_bytes_are_answered(untouched: Api, path: str, body: bytes) -> None:
    answer = untouched.call("POST", path, data=body, content_type=FORM)

    assert_refused(answer)


@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials"])
@FUZZ
@given(
    token=TOKENS,
    scope=st.text(max_size=40),
    client_id=st.text(max_size=40),
    assertion=ASSERTIONS,
)
def test_any_grant_is_answered(
    untouched: Api,
    grant: str,
    *,
    token: str,
    scope: str,
    client_id: str,
    assertion: str,
) -> None:
    form = {
        "grant_type": grant,
        "refresh_token": token,
        "scope": scope,
        "client_id": client_id,
    }
    signed = {
        "client_assertion_type": (
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        ),
        "client_assertion": assertion,
    }

    for given_form in (form, {**form, **signed}):
        assert_refused(untouched.call("POST", "/api/token", data=given_form))


@pytest.mark.parametrize("path", PATHS)
@FUZZ
@given(
    header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"))
    | st.binary(max_size=60).map(
        lambda it: f"Basic {base64.b64encode(it).decode()}",
    )
)
def test_any_credentials_are_answered(untouched: Api, path: str, header: str) -> None:
    answer = untouched.call(
        "POST",
        path,
        data={"grant_type": "client_credentials", "token": "x"},
        environ_overrides={"HTTP_AUTHORIZATION": header},
    )

    assert_refused(answer)
