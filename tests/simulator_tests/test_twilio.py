"""Twilio's wire format, where no rule interferes."""

import re
from email.utils import parsedate_to_datetime

import pytest
import requests
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from tests.simulator import Simulator
from tests.simulator.segments import count_segments
from tests.simulator_tests.clients import (
    PHONE,
    SENDER,
    TIMEOUT_SECONDS,
    TwilioClient,
)

MESSAGING_SERVICE = "MG" + "1" * 32


def test_twilio_accepts_a_text(simulator: Simulator, twilio: TwilioClient) -> None:
    response = twilio.send(Body="482913 is your code.")

    document = response.json()
    assert response.status_code == 201
    assert re.fullmatch("SM[0-9a-f]{32}", document["sid"])
    assert document["account_sid"] == simulator.account_sid
    assert document["to"] == PHONE
    assert document["from"] == SENDER
    assert document["body"] == "482913 is your code."
    assert document["status"] == "queued"
    assert document["num_segments"] == "1"
    assert document["error_code"] is None
    assert parsedate_to_datetime(document["date_created"]).utcoffset() is not None
    assert document["uri"].endswith(f"/Messages/{document['sid']}.json")


def test_twilios_own_client_is_understood(simulator: Simulator) -> None:
    with requests.Session() as session:
        http_client = TwilioHttpClient(timeout=TIMEOUT_SECONDS)
        http_client.session = session
        client = Client(
            simulator.account_sid, simulator.auth_token, http_client=http_client
        )
        client.api.base_url = simulator.url

        sent = client.messages.create(
            to=PHONE, from_=SENDER, body="482913 is your code.", validity_period=300
        )
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to="+15005550004", from_=SENDER, body="482913")

    assert (sent.status, sent.to) == ("queued", PHONE)
    assert (refused.value.status, refused.value.code) == (400, 21610)


def test_twilio_lets_a_messaging_service_pick_the_sender(twilio: TwilioClient) -> None:
    document = twilio.send(From="", MessagingServiceSid=MESSAGING_SERVICE).json()

    assert document["status"] == "accepted"
    assert document["from"] is None
    assert document["num_segments"] == "0"
    assert document["messaging_service_sid"] == MESSAGING_SERVICE


def test_twilio_refuses_a_wrong_token(twilio: TwilioClient) -> None:
    response = twilio.send(auth_token="wrong")

    assert response.status_code == 401
    assert "Basic" in response.headers["WWW-Authenticate"]
    assert response.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


@pytest.mark.parametrize("value", ["", "Basic", "Basic ???", "Basic w6k=", "Bearer x"])
def test_twilio_refuses_unreadable_credentials(
    simulator: Simulator, value: str
) -> None:
    response = requests.post(
        f"{simulator.url}/2010-04-01/Accounts/{simulator.account_sid}/Messages.json",
        data={"To": PHONE},
        headers={"Authorization": value},
        timeout=TIMEOUT_SECONDS,
    )

    assert response.status_code == 401


def test_twilio_does_not_know_another_account(twilio: TwilioClient) -> None:
    response = twilio.send(account_sid="AC" + "9" * 32)

    assert response.status_code == 404
    assert response.json()["code"] == 20404


def test_twilio_does_not_know_another_path(simulator: Simulator) -> None:
    response = requests.post(
        f"{simulator.url}/2010-04-01/Accounts/x/Faxes.json", timeout=TIMEOUT_SECONDS
    )

    assert response.status_code == 404
    assert response.json()["code"] == 20404


def test_twilio_takes_only_post(twilio: TwilioClient) -> None:
    response = twilio.send(method="PUT")

    assert response.status_code == 405
    assert response.json()["code"] == 20004


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"To": "9876543210"}, 21211),
        ({"To": "+91 98765 43210"}, 21211),
        ({"Body": "x" * 1601}, 21617),
        ({"From": "no such sender"}, 21212),
        ({"From": PHONE}, 21266),
        ({"MessagingServiceSid": "MG1"}, 21705),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ValidityPeriod": "36001"}, 20001),
        ({"ValidityPeriod": "soon"}, 20001),
        ({"To": "+15005550001"}, 21211),
        ({"To": "+15005550002"}, 21612),
        ({"To": "+15005550003"}, 21408),
        ({"To": "+15005550004"}, 21610),
        ({"To": "+15005550009"}, 21614),
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550007"}, 21606),
    ],
)
def test_twilio_refuses(
    simulator: Simulator, twilio: TwilioClient, params: dict[str, str], code: int
) -> None:
    response = twilio.send(**params)

    (message,) = simulator.messages()
    assert response.status_code == 400
    assert response.json()["code"] == code
    assert response.json()["more_info"].endswith(str(code))
    assert (message.outcome, message.code) == ("refused", code)


def test_twilio_has_a_sender_with_a_full_queue(twilio: TwilioClient) -> None:
    response = twilio.send(From="+15005550008")

    assert response.status_code == 429
    assert response.json()["code"] == 21611


@pytest.mark.parametrize("sender", [SENDER, "QuickCart", "56767"])
def test_twilio_takes_numbers_names_and_short_codes_as_senders(
    twilio: TwilioClient, sender: str
) -> None:
    assert twilio.send(From=sender, ValidityPeriod="36000").status_code == 201


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("x" * 158 + "€", 1),
        ("x" * 159 + "€", 2),
        ("क" * 70, 1),
        ("क" * 71, 2),
        ("🛒" * 35, 1),
        ("🛒" * 36, 2),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, segments: int) -> None:
    assert count_segments(text) == segments


# Feedback and callbacks


def feedback(
    simulator: Simulator, sid: str, *, auth_token: str | None = None, **params: str
) -> requests.Response:
    account = simulator.account_sid
    return requests.post(
        f"{simulator.url}/2010-04-01/Accounts/{account}/Messages/{sid}/Feedback.json",
        data=params,
        auth=(account, auth_token or simulator.auth_token),
        timeout=TIMEOUT_SECONDS,
    )


def test_twilio_takes_feedback_on_what_was_sent_for_it(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    wanted = twilio.send(ProvideFeedback="true").json()["sid"]
    unwanted = twilio.send().json()["sid"]

    taken = feedback(simulator, wanted, Outcome="unconfirmed")
    refused = [
        feedback(simulator, wanted, Outcome="maybe"),
        feedback(simulator, wanted, auth_token="wrong"),
        feedback(simulator, unwanted, Outcome="confirmed"),
    ]

    assert (taken.status_code, taken.json()["outcome"]) == (201, "unconfirmed")
    assert [it.json()["code"] for it in refused] == [20001, 20003, 20404]
    assert len(simulator.messages()) == 2


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"StatusCallback": "auth.example/x"}, 21609),
        ({"StatusCallback": "https://auth_server.example/x"}, 21609),
        ({"ProvideFeedback": "yes"}, 20001),
    ],
)
def test_twilio_refuses_an_option(
    twilio: TwilioClient, params: dict[str, str], code: int
) -> None:
    assert twilio.send(**params).json()["code"] == code


def test_twilio_is_told_where_receipts_go(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    twilio.send(StatusCallback="https://auth.example/x")

    assert simulator.messages()[0].receipts_url == "https://auth.example/x"
