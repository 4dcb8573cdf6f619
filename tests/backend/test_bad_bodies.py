"""Bodies that are no JSON, too large, or do not say what they are."""

import json
from io import BytesIO

import pytest

from backend.errors import PROBLEM_TYPE
from tests.backend.api import PHONE, Api, assert_problem

SEND, VERIFY = "/api/send-otp", "/api/verify-otp"
SOME_ID = "A" * 16 + "l" + "A" * 22
GOOD = {
    SEND: {"phone": PHONE},
    VERIFY: {"verification_id": SOME_ID, "phone": PHONE, "otp": "123456"},
}

NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "blank": b"   ",
    "cut off": b'{"phone": "+9198',
    "single quotes": b"{'phone': '+919876543210'}",
    "trailing comma": b'{"phone": "+919876543210",}',
    "two documents": b'{"phone": "+919876543210"}{}',
    "comment": b'{"phone": "+919876543210"} // mine',
    "list": b'["+919876543210"]',
    "string": b'"+919876543210"',
    "number": b"919876543210",
    "null": b"null",
    "true": b"true",
    "NaN": b'{"phone": NaN}',
    "infinity": b'{"phone": -Infinity}',
    "same name twice": b'{"phone": "+919876543210", "phone": "+919876543211"}',
    "same name twice, escaped": b'{"phone": "+919876543210", "ph\\u006fne": "1"}',
    "NUL": b'{"phone": "+91987654\x003210"}',
    "control character": b'{"phone": "+91987654\x1b3210"}',
    "line break in a string": b'{"phone": "+91987654\n3210"}',
    "invalid UTF-8": b'{"phone": "\xff\xfe"}',
    "overlong UTF-8": b'{"phone": "\xc0\xb1"}',
    "surrogate in UTF-8": b'{"phone": "\xed\xa0\x80"}',
    "UTF-16": '{"phone": "+919876543210"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"phone": "+919876543210"}',
    "deep list": b"[" * 4000,
    "deep object": b'{"phone":' * 440,
}


@pytest.mark.parametrize("path", [SEND, VERIFY])
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_strict_json_is_malformed(
    untouched: Api, path: str, body: bytes
) -> None:
    answer = untouched.call("POST", path, data=body, content_type="application/json")

    assert_problem(answer, 400, "malformed_request")


@pytest.mark.parametrize("path", [SEND, VERIFY])
def test_more_than_4_kib_is_too_large(untouched: Api, path: str) -> None:
    padded = json.dumps(GOOD[path]).ljust(4097)

    answer = untouched.call("POST", path, data=padded, content_type="application/json")

    assert_problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize("path", [SEND, VERIFY])
@pytest.mark.parametrize("size", [4097, 4098, 50_000])
def test_more_than_4_kib_is_too_large_without_a_length_too(
    untouched: Api, path: str, size: int
) -> None:
    answer = untouched.call(
        "POST",
        path,
        content_type="application/json",
        environ_overrides={
            "wsgi.input": BytesIO(json.dumps(GOOD[path]).ljust(size).encode()),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": "",
        },
    )

    assert_problem(answer, 413, "payload_too_large")


@pytest.mark.parametrize("length", ["5000000000000", "-1", "abc", "1e3", "٤", ""])
def test_a_length_that_is_a_lie_does_no_harm(untouched: Api, length: str) -> None:
    answer = untouched.call(
        "POST",
        SEND,
        input_stream=BytesIO(b""),
        content_type="application/json",
        headers={"Content-Length": length},
    )

    assert answer.status_code in {400, 413}
    assert answer.content_type == PROBLEM_TYPE


def test_exactly_4_kib_is_not_too_large(api: Api) -> None:
    padded = json.dumps(GOOD[SEND]).ljust(4096)

    answer = api.call("POST", SEND, data=padded, content_type="application/json")

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json-patch+json",
        "application/problem+json",
        "*/*",
        "\x00",
        "application/json\x00",
    ],
)
def test_what_does_not_say_that_it_is_json_is_unsupported(
    untouched: Api, content_type: str
) -> None:
    answer = untouched.call(
        "POST", SEND, data=json.dumps(GOOD[SEND]), content_type=content_type
    )

    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"],
)
def test_json_may_say_so_in_several_ways(api: Api, content_type: str) -> None:
    answer = api.call(
        "POST", SEND, data=json.dumps(GOOD[SEND]), content_type=content_type
    )

    assert answer.status_code == 202
