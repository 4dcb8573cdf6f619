"""Fields that are no good: a clear problem, and nothing is sent or changed."""

from typing import Any

import pytest

from tests.backend.api import PHONE, Api, assert_problem, fields_of
from tests.backend.conftest import MakeApi

SEND, VERIFY = "/api/send-otp", "/api/verify-otp"
SOME_ID = "A" * 16 + "l" + "A" * 22
GOOD = {
    SEND: {"phone": PHONE},
    VERIFY: {"verification_id": SOME_ID, "phone": PHONE, "otp": "123456"},
}
FIELDS = ["phone", "country", "channel", "purpose", "locale", "client"]
FIELDS += ["verification_id"]

WRONG_VALUES: dict[str, Any] = {
    "number": 919876543210,
    "huge number": 10**4000,
    "float": 9.1,
    "exponent": 1e300,
    "true": True,
    "null": None,
    "list": [PHONE],
    "object": {"e164": PHONE},
    "empty": "",
    "too long": "9" * 65,
    "lone surrogate": "\ud800",
}

NO_PHONES: dict[str, str] = {
    "full-width digits": "+91９８７６５４３２１０",
    "Arabic-Indic digits": "+91٩٨٧٦٥٤٣٢١٠",
    "Devanagari digits": "+91९८७६५४३२१०",
    "superscripts": "+91⁹⁸⁷⁶⁵⁴³²¹⁰",
    "zero-width space": "+9198765\u200b43210",
    "full-width plus": "\uff0b919876543210",
    "letters": "1-800-FLOWERS",
    "letter O": "+91987654321O",
    "extension": "+919876543210 ext. 5",
    "extension, x": "+919876543210x5",
    "extension, #": "+919876543210#5",
    "extension, ;": "+919876543210;ext=5",
    "tel": "tel:+919876543210",
    "pause": "+919876543210,5",
    "two numbers": "+919876543210 +919876543211",
    "NUL": "+91987654\x003210",
    "tab": "+91\t9876543210",
    "line end": "+919876543210\n",
    "no digits": "+",
    "spaces": "     ",
    "short": "12345",
    "long": "+91987654321012345",
    "no such country": "+9999876543210",
    "zeros": "+0000000000",
    "not allotted": "+915555555555",
    "two pluses": "++919876543210",
    "markup": "<script>alert(1)</script>",
    "SQL": "' OR 1=1 --",
}

UNSUPPORTED: dict[str, str] = {
    "fixed line": "+912222222222",
    "toll free": "+911800123456",
    "premium rate": "+911861123456789",
    "United States": "+12125552368",
    "Germany": "+4915112345678",
    "satellite": "+881612345678",
    "international freephone": "+80012345678",
    "premium rate abroad": "+449012345678",
}

NO_CODES: dict[str, Any] = {
    "number": 123456,
    "float": 123456.0,
    "list": ["1", "2", "3", "4", "5", "6"],
    "object": {"code": "123456"},
    "true": True,
    "null": None,
    "empty": "",
    "five digits": "12345",
    "seven digits": "1234567",
    "full-width digits": "１２３４５６",
    "Arabic-Indic digits": "١٢٣٤٥٦",
    "underscore": "12_456",
    "sign": "+12345",
    "space": "12 456",
    "line end": "123456\n",
    "NUL": "12345\x00",
    "letters": "abcdef",
    "lone surrogate": "12345\udfff",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}, {kind}")
        for name in FIELDS
        for kind, value in WRONG_VALUES.items()
        # Null is no value, which the optional ones may have.
        if value is not None or name in {"phone", "purpose"}
    ],
)
def test_a_field_of_a_wrong_kind_is_named(
    untouched: Api, name: str, value: Any
) -> None:
    answer = untouched.post(SEND, GOOD[SEND] | {name: value})

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("country", "in"),
        ("country", "IND"),
        ("country", "ZZ"),
        ("country", "IN\n"),
        ("channel", "fax"),
        ("channel", "SMS"),
        ("purpose", "admin"),
        ("client", "toaster"),
        ("locale", "../../etc"),
        ("locale", "en_IN"),
    ],
)
def test_a_value_that_we_do_not_know_is_named(
    untouched: Api, name: str, value: str
) -> None:
    answer = untouched.post(SEND, GOOD[SEND] | {name: value})

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == [name]


@pytest.mark.parametrize("path", [SEND, VERIFY])
def test_missing_fields_are_all_named_at_once(untouched: Api, path: str) -> None:
    answer = untouched.post(path, {})

    assert_problem(answer, 422, "invalid_request")
    assert sorted(fields_of(answer)) == sorted(GOOD[path])


@pytest.mark.parametrize("path", [SEND, VERIFY])
@pytest.mark.parametrize(
    "name", ["callback_url", "text", "__proto__", "", "Phone", "code", "\u0000"]
)
def test_unknown_fields_are_refused(untouched: Api, path: str, name: str) -> None:
    answer = untouched.post(path, GOOD[path] | {name: "x"})

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == [name]


def test_a_lone_surrogate_as_a_name_is_refused(untouched: Api) -> None:
    answer = untouched.post(SEND, GOOD[SEND] | {"\ud800": "x"})

    assert_problem(answer, 422, "invalid_request")


def test_a_long_name_is_not_repeated_in_full(untouched: Api) -> None:
    answer = untouched.post(SEND, GOOD[SEND] | {"x" * 3000: 1})

    assert len(answer.get_data()) < 1000


@pytest.mark.parametrize("value", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_what_was_sent_is_not_repeated(untouched: Api, value: Any) -> None:
    answer = untouched.post(SEND, {"phone": value, "country": "9876543210"})

    assert "9876543210" not in answer.text


@pytest.mark.parametrize("path", [SEND, VERIFY])
@pytest.mark.parametrize("text", NO_PHONES.values(), ids=NO_PHONES)
def test_what_is_no_phone_number_is_invalid(
    untouched: Api, path: str, text: str
) -> None:
    answer = untouched.post(path, GOOD[path] | {"phone": text})

    assert_problem(answer, 422, "phone_invalid")


@pytest.mark.parametrize("path", [SEND, VERIFY])
@pytest.mark.parametrize("text", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_numbers_that_we_do_not_send_to_are_not_supported(
    untouched: Api, path: str, text: str
) -> None:
    answer = untouched.post(path, GOOD[path] | {"phone": text})

    assert_problem(answer, 422, "phone_not_supported")


def test_the_country_field_opens_no_country(untouched: Api) -> None:
    answer = untouched.post(SEND, {"phone": "2125552368", "country": "US"})

    assert_problem(answer, 422, "phone_not_supported")


@pytest.mark.parametrize("value", NO_CODES.values(), ids=NO_CODES)
def test_what_is_no_code_costs_no_guess(shared_api: Api, value: Any) -> None:
    verification = shared_api.start(PHONE)
    body = {"verification_id": verification, "phone": PHONE, "otp": value}

    answer = shared_api.post(VERIFY, body)

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["otp"]
    assert shared_api.status(verification).json["attempts_left"] == 5


def test_a_test_number_in_no_country_is_no_phone(make_development: MakeApi) -> None:
    api = make_development(
        TEST_NUMBERS="+15550100000-+15550199999:246802",
        TEST_NUMBERS_UNTIL="2100-01-01",
    )

    assert_problem(api.send("+0000000000"), 422, "phone_invalid")
    assert_problem(api.send("+9999999999"), 422, "phone_invalid")
