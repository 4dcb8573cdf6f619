"""Routes, sender ids and prices, as an operator writes them."""

import pytest

from config.config import Settings, SettingsError, load_settings
from config.tables import VENDORS, Row


def settings(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problem(name: str, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(**{name: text})
    [found] = caught.value.problems
    assert found.startswith(f"{name}: "), found
    return found


def test_a_route_lists_vendors_by_the_beginning_of_a_number() -> None:
    routes = settings(
        SMS_ROUTES="+91: fast2sms, twilio; +1:Twilio,vonage ; *: twilio, vonage;"
    ).sms_routes

    assert routes == (
        Row("", "+91", (("fast2sms", None), ("twilio", None))),
        Row("", "+1", (("twilio", None), ("vonage", None))),
        Row("", "", (("twilio", None), ("vonage", None))),
    )


def test_a_route_may_weigh_its_vendors() -> None:
    routes = settings(VOICE_ROUTES="*: twilio_voice=70, webhook = 30").voice_routes

    assert routes == (Row("", "", (("twilio_voice", 70), ("webhook", 30))),)


def test_each_channel_has_its_own_routes() -> None:
    given = settings(SMS_ROUTES="*: twilio", WHATSAPP_ROUTES="+91: whatsapp")

    assert given.sms_routes == (Row("", "", (("twilio", None),)),)
    assert given.whatsapp_routes == (Row("", "+91", (("whatsapp", None),)),)
    assert given.voice_routes == ()


@pytest.mark.parametrize(
    "text",
    [
        "twilio",
        "+91 twilio",
        "91: twilio",
        "+0: twilio",
        "twilio +91: twilio",
        ": twilio",
        "+91:",
        "+91: twilio fast2sms",
        "+91: ,",
        "+91: twilio=0",
        "+91: twilio=1001",
        "+91: twilio=1.5",
        "+91: twilio=-1",
        "+91: twilio=70, vonage",
        "+91: twilio, twilio",
        "+91: carrier-pigeon",
        "+91: nobody",
        "+91: console",
        "+999: twilio",
    ],
)
def test_other_shapes_of_a_route_are_refused(text: str) -> None:
    assert "entry 1 " in problem("SMS_ROUTES", text)


def test_every_wrong_entry_is_named_by_its_place() -> None:
    found = problem("SMS_ROUTES", "+91: twilio; +92; +93: nobody; *: twilio; *: aws")

    assert "entry 2 must look like" in found
    assert "entry 3 names an unknown vendor; known are twilio, " in found
    assert "entry 5 is for what an entry before it is for" in found
    assert "entry 1 " not in found
    assert "entry 4 " not in found


def test_what_was_pasted_into_the_wrong_variable_is_not_repeated() -> None:
    for name in ("SMS_ROUTES", "SENDER_IDS", "SMS_PRICES"):
        assert "hunter2" not in problem(name, "twilio +91: hunter2; hunter2: hunter2")


def test_the_console_is_no_vendor_to_route_to() -> None:
    assert "console" not in VENDORS


def test_senders_take_turns_by_vendor_and_number() -> None:
    senders = settings(
        SENDER_IDS="twilio +1: +15005550006 | +15005550007; vonage +44: QUICKCART;"
        " vonage *: Quick Cart; plivo: 56789"
    ).sender_ids

    assert senders == (
        Row("twilio", "+1", ("+15005550006", "+15005550007")),
        Row("vonage", "+44", ("QUICKCART",)),
        Row("vonage", "", ("Quick Cart",)),
        Row("plivo", "", ("56789",)),
    )


@pytest.mark.parametrize(
    "sender",
    ["QC", "QuickCartIndia", "Quick-Cart", "Quick Cart ", "12", "123456789", "+12", ""],
)
def test_a_sender_is_a_number_a_short_code_or_a_short_name(sender: str) -> None:
    found = problem("SENDER_IDS", f"vonage +44: Shop | {sender}|x")

    assert "entry 1 must be a phone number" in found


def test_a_name_cannot_send_to_north_america() -> None:
    found = problem("SENDER_IDS", "vonage +44: Shop; twilio +1: +15005550006 | Shop")

    assert "entry 2 has a name for +1" in found


@pytest.mark.parametrize("name", ["SENDER_IDS", "SMS_PRICES"])
def test_a_table_by_vendor_knows_the_vendors(name: str) -> None:
    assert "entry 2 names an unknown vendor" in problem(name, "aws: 123; twillio: 123")


@pytest.mark.parametrize("name", ["SENDER_IDS", "SMS_PRICES"])
def test_a_table_by_vendor_needs_one(name: str) -> None:
    assert "entry 1 must look like" in problem(name, "+91: 123")


def test_a_vendors_prices_may_stand_in_one_entry() -> None:
    prices = settings(SMS_PRICES="twilio +91: 0.0832, *: 0.05; fast2sms: 0").sms_prices

    assert prices == (
        Row("twilio", "+91", 0.0832),
        Row("twilio", "", 0.05),
        Row("fast2sms", "", 0.0),
    )


@pytest.mark.parametrize("price", ["-1", "1e3", "nan", "inf", "101", "0,05", "€1", ""])
def test_a_price_is_a_small_number(price: str) -> None:
    assert "entry 1 " in problem("SMS_PRICES", f"twilio: {price}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROUTING", "random"),
        ("ROUTING_SHADOW", "order"),
        ("ANDROID_APP_HASH", "FA+9qCX9VS"),
        ("ANDROID_APP_HASH", "FA+9qCX9VS="),
    ],
)
def test_other_choices_of_delivery_are_refused(name: str, value: str) -> None:
    assert problem(name, value)


def test_routing_is_one_of_three_and_may_have_a_shadow() -> None:
    assert settings().routing == "priorities"
    assert settings().routing_shadow == "off"
    assert settings(ROUTING="Adaptive").routing == "adaptive"
    assert settings(ROUTING_SHADOW="adaptive").routing_shadow == "adaptive"
