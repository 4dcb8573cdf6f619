"""What a session's device is called: as the person says, or by its kind."""

import pytest

from backend.devices import coarse_device
from tests.backend.api import PHONE, Api, assert_problem, fields_of

CHROME_ON_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME_ON_WINDOWS, "Chrome on Windows"),
        (f"{CHROME_ON_WINDOWS} Edg/141.0", "Edge on Windows"),
        (f"{CHROME_ON_WINDOWS} OPR/120.0", "Opera on Windows"),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"
                " AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) CriOS/141.0 Safari/604.1",
            "Chrome on iPad",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/141.0 Mobile Safari/537",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) SamsungBrowser/27.0 Chrome/130 Safari/537",
            "Samsung Internet on Android",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
            "Firefox on Linux",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605", "Safari on Mac"),
        ("okhttp/4.12.0", "App"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("Chr\x00ome\xff Win dows", ""),
        ("x" * 300 + CHROME_ON_WINDOWS, ""),
    ],
)
def test_a_browser_says_what_kind_of_device_it_runs_on(
    user_agent: str, name: str
) -> None:
    assert coarse_device(user_agent) == name


def device_of(api: Api, body: dict[str, str]) -> str:
    return str(api.me(body["access_token"]).json["session"]["device"])


def test_a_device_is_called_by_its_kind_unless_it_is_named(api: Api) -> None:
    headers = {"User-Agent": CHROME_ON_WINDOWS}

    by_kind = api.login(PHONE, headers=headers)
    api.clock.advance(31)
    named = api.login(PHONE, headers=headers, device_name="आशा का फ़ोन")

    assert device_of(api, by_kind) == "Chrome on Windows"
    assert device_of(api, named) == "आशा का फ़ोन"


def test_nothing_of_the_header_itself_is_kept(api: Api) -> None:
    body = api.login(PHONE, headers={"User-Agent": "<b>Evil</b> Chrome/1 on Windows"})

    assert device_of(api, body) == "Chrome on Windows"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 41,
        "a\nb",
        "a\x00",
        "a\u202eb",
        "\ud800",
        7,
        ["x"],
        {},
        "call +919876543210",
        "9/8/7/6/5/4/3/2",
        "९८७६५४३२१०",
    ],
)
def test_a_name_that_nobody_could_read_or_that_may_be_a_number_is_refused(
    shared_api: Api, name: object
) -> None:
    answer = shared_api.verify("A" * 43, PHONE, "123456", device_name=name)

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["device_name"]


def test_forty_characters_are_a_name(api: Api) -> None:
    assert device_of(api, api.login(PHONE, device_name="ा" + "x" * 39)) == (
        "ा" + "x" * 39
    )
