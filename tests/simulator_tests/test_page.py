"""The page at ``/``: what each phone would show."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.simulator import Simulator, Timing
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS
from tests.simulator_tests.postcard import Callee, Postcard, send_postcard

OTHER_PHONE = "+918765432109"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(more_vendors=[Postcard()], timing=Timing(0.01, 0.02)) as running:
        yield running


def page(simulator: Simulator) -> str:
    return requests.get(simulator.url, timeout=TIMEOUT_SECONDS).text


def bubbles(simulator: Simulator) -> list[tuple[str, str, str]]:
    """Return each bubble's class, text and footer."""
    return re.findall(
        r'<article class="([^"]*)"><p>(.*?)</p><footer>(.*?)</footer>',
        page(simulator),
        re.DOTALL,
    )


def test_it_is_empty_at_first(simulator: Simulator) -> None:
    answer = requests.get(simulator.url, timeout=TIMEOUT_SECONDS)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "No messages yet." in answer.text


def test_each_number_is_a_phone(simulator: Simulator) -> None:
    for to in (PHONE, OTHER_PHONE, PHONE):
        send_postcard(simulator, to=to)

    phones = re.findall(r"<h2>(.*?)</h2>", page(simulator))

    assert sorted(phones) == sorted([PHONE, OTHER_PHONE])
    assert len(bubbles(simulator)) == 3


def test_a_phone_shows_the_oldest_message_first(simulator: Simulator) -> None:
    for text in ("first", "second"):
        send_postcard(simulator, text=text)

    assert [text for _, text, _ in bubbles(simulator)] == ["first", "second"]


def test_a_bubble_says_who_sent_it_when_and_how_it_fares(simulator: Simulator) -> None:
    send_postcard(simulator)

    ((kind, text, footer),) = bubbles(simulator)

    assert (kind, text) == ("sms", "482913 is your code.")
    assert re.fullmatch(r"SMS · postcard · [0-9:]{8} UTC · accepted", footer)


def test_a_bubble_has_the_last_receipt(simulator: Simulator) -> None:
    with Callee() as callee:
        send_postcard(simulator, callback=callee.url)
        simulator.wait_for_receipts()

    assert bubbles(simulator)[0][2].endswith("· delivered")


def test_calls_and_whatsapp_messages_look_different(simulator: Simulator) -> None:
    for channel in ("call", "whatsapp", "sms", "pigeon"):
        send_postcard(simulator, channel=channel)

    kinds = [kind for kind, _, _ in bubbles(simulator)]

    assert kinds == ["voice", "whatsapp", "sms", "sms"]


def test_what_did_not_arrive_looks_different(simulator: Simulator) -> None:
    simulator.add_rule("outage", times=1)
    send_postcard(simulator)
    send_postcard(simulator, text="")

    (lost, refused) = bubbles(simulator)

    assert lost[0] == refused[0] == "sms absent"
    assert lost[2].endswith("accepted, never arrived")
    assert refused[2].endswith("refused (1)")


def test_everything_is_escaped(simulator: Simulator) -> None:
    send_postcard(simulator, to="<b>&\"'", text="</p><script>alert(1)</script>")

    shown = page(simulator)

    assert shown.count("<script>") == 1
    assert "<b>" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "&lt;b&gt;&amp;&quot;&#x27;" in shown


def test_nothing_comes_from_elsewhere(simulator: Simulator) -> None:
    answer = requests.get(simulator.url, timeout=TIMEOUT_SECONDS)

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"(src|href)=|url\(|@import|//[a-z]", answer.text)


def test_it_shows_the_newest_of_many(simulator: Simulator) -> None:
    send_postcard(simulator, to=",".join([PHONE] * 400), text="old")
    send_postcard(simulator, text="new")

    texts = [text for _, text, _ in bubbles(simulator)]

    assert len(texts) == 300
    assert texts[-1] == "new"
