"""Where the webhook may lead, and what its body and headers may hold."""

from collections.abc import Mapping, Sequence

import pytest

from config.config import Settings, SettingsError, load_settings
from config.webhook_rules import PLACEHOLDERS, find_private_webhook, resolve_host
from services.sms.providers import webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://sms.example.com/send"
PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")


def load(**changes: str) -> Settings:
    environ = {"WEBHOOK_URL": URL, "WEBHOOK_SECRET": SECRET, **changes}
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problems(**changes: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(**changes)
    return caught.value.problems


def refuses(
    url: str, *, names: Mapping[str, Sequence[str]] | None = None, allowed: str = ""
) -> bool:
    """Tell whether the URL is refused; ``names`` is all that the network knows."""
    settings = load(WEBHOOK_URL=url, WEBHOOK_ALLOWED_HOSTS=allowed)
    found = list(
        find_private_webhook(settings, resolve=lambda host: (names or {}).get(host, ()))
    )
    assert all(it.startswith("WEBHOOK_URL: ") for it in found)
    assert not any("sms.example" in it or "10.0.0.1" in it for it in found)
    return bool(found)


# Where it may lead


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - no one listens here
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:10.0.0.1]",
        "[::7f00:1]",
        "[2002:7f00:1::]",
        "[64:ff9b::10.0.0.1]",
    ],
)
@pytest.mark.parametrize("port", ["", ":8080"])
def test_an_address_that_nobody_outside_could_reach_is_refused(
    host: str, port: str
) -> None:
    assert refuses(f"http://{host}{port}/hook")
    assert not refuses(f"http://{host}{port}/hook", allowed=f"10.9.9.9, {host}")


@pytest.mark.parametrize("host", ["93.184.216.34", "[2606:2800:220:1::1]"])
def test_a_public_address_may_be_called(host: str) -> None:
    assert not refuses(f"https://{host}/hook")


@pytest.mark.parametrize(
    ("addresses", "refused"),
    [
        (PUBLIC, False),
        (("10.0.0.1",), True),
        ((*PUBLIC, "10.0.0.1"), True),
        (("::1",), True),
        (("fe80::1%eth0",), True),
        (("what?",), True),
        ((), False),
    ],
)
def test_a_name_is_judged_by_every_address_it_has(
    addresses: Sequence[str], *, refused: bool
) -> None:
    names = {"sms.example.com": addresses}

    assert refuses(URL, names=names) == refused
    assert not refuses(URL, names=names, allowed="SMS.example.com")


def test_a_full_name_is_no_other_host() -> None:
    names = {"sms.example.com": ["10.0.0.1"]}

    assert refuses("https://sms.example.com./send", names=names)
    assert not refuses(
        "https://sms.example.com./send", names=names, allowed="sms.example.com"
    )


def test_another_host_that_is_allowed_does_not_help() -> None:
    assert refuses("http://127.0.0.1/", allowed="localhost, 127.0.0.2, sms.example.com")


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001"])
def test_the_machine_itself_is_known_by_all_its_names(host: str) -> None:
    settings = load(WEBHOOK_URL=f"http://{host}/hook")

    assert list(find_private_webhook(settings))


def test_a_name_that_cannot_be_has_no_address() -> None:
    assert list(resolve_host("a" * 300)) == []


def test_without_a_webhook_there_is_nothing_to_judge() -> None:
    settings = load_settings(
        default_environment="development", env_file=None, environ={}
    )

    assert list(find_private_webhook(settings)) == []


# What its body and its headers may hold


def test_the_placeholders_are_those_that_are_filled_in() -> None:
    assert webhook.PLACEHOLDERS.keys() == PLACEHOLDERS


def test_an_unknown_placeholder_is_named() -> None:
    body = '{"a": [{"b": "{to} {phone}"}], "{not_one}": "{ }"}'

    assert problems(WEBHOOK_BODY=body) == (
        "WEBHOOK_BODY: has an unknown placeholder: {phone}",
    )


@pytest.mark.parametrize(
    "body",
    [
        '{"to": "{to}", "all": {"n": ["{national}: {code}", 1, null, true]}}',
        '{"json": "{\\"to\\": \\"{to}\\", \\"say\\": \\"{text}\\"}"}',
    ],
)
def test_a_body_may_have_any_shape(body: str) -> None:
    assert load(WEBHOOK_BODY=body).webhook_body == body


@pytest.mark.parametrize(
    "body", ["{}", '{"to": "{to}", "id": "{id}"}', '{"code": "otp", "text": "none"}']
)
def test_a_body_must_bring_the_code(body: str) -> None:
    assert problems(WEBHOOK_BODY=body) == (
        "WEBHOOK_BODY: lacks {code} and {text}: nobody would get a code by it",
    )


def test_a_body_that_could_not_be_sent_is_refused() -> None:
    (problem,) = problems(WEBHOOK_BODY='{"a": "\\ud800"}')

    assert problem == "WEBHOOK_BODY: must be a JSON object"


@pytest.mark.parametrize("value", ["{}", "[]", "null", "true"])
def test_a_form_takes_texts_and_numbers_only(value: str) -> None:
    (problem,) = problems(
        WEBHOOK_FORMAT="form", WEBHOOK_BODY=f'{{"a": {value}, "b": "{{code}}"}}'
    )

    assert problem.startswith("WEBHOOK_BODY: ")


def test_a_form_may_hold_numbers() -> None:
    body = '{"a": "{to}", "b": 1.5, "c": "{code}"}'

    assert load(WEBHOOK_FORMAT="form", WEBHOOK_BODY=body).webhook_body == body


@pytest.mark.parametrize(
    "headers",
    [
        '{"X-Key": 5}',
        '{"X-Key": null}',
        '{"X Key": "k"}',
        '{"": "k"}',
        '{"X-Key": "k\\r\\nX: y"}',
        '{"X-Key": "\\u00e9"}',
        '{"X-Key": ""}',
        '{"Content-Type": "text/plain"}',
        '{"Webhook-Id": "1"}',
        '{"HOST": "other"}',
    ],
)
def test_a_header_that_cannot_be_is_refused(headers: str) -> None:
    (problem,) = problems(WEBHOOK_HEADERS=headers)

    assert problem.startswith("WEBHOOK_HEADERS: ")


def test_headers_may_carry_a_key() -> None:
    headers = '{"Authorization": "Bearer abc", "X-Key": "k"}'

    assert load(WEBHOOK_HEADERS=headers).webhook_headers == headers
