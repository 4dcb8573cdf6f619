"""Settings of delivery that mean nothing, or another thing, without one another."""

import pytest

from config.config import Settings, SettingsError, load_settings
from config.vendor_settings import OPTIONS, REQUIRED

WHATSAPP = {
    "WHATSAPP_ACCESS_TOKEN": "token",
    "WHATSAPP_PHONE_NUMBER_ID": "123",
    "WHATSAPP_TEMPLATE": "otp_login",
    "WHATSAPP_APP_SECRET": "secret",
}
WEBHOOK = {
    "WEBHOOK_URL": "https://sms.example.com/send",
    "WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
}
VOICE = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_VOICE_NUMBER": "+15005550006",
}
PUBLIC = {"PUBLIC_BASE_URL": "https://auth.example.com"}
NO_RECEIPTS = "PUBLIC_BASE_URL: missing; WHATSAPP_WAIT needs receipts, or must be 0"
NO_VENDOR = "means nothing without a vendor for"
# Each option, changed.
CHANGED = {
    "MSG91_API": "flow",
    "VONAGE_SIGNATURE_SECRET": "secret",
    "VONAGE_SIGNATURE_METHOD": "md5hash",
    "AWS_SMS_CONFIGURATION_SET": "logins",
    "WHATSAPP_LANGUAGES": "hi",
    "WEBHOOK_CHANNELS": "voice",
    "WEBHOOK_COUNTRIES": "IN",
    "WEBHOOK_FORMAT": "form",
    "WEBHOOK_BODY": '{"say": "{text}"}',
    "WEBHOOK_HEADERS": '{"X-Key": "k"}',
    "WEBHOOK_ALLOWED_HOSTS": "10.0.0.1",
}


def load(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(**environ)
    return caught.value.problems


@pytest.mark.parametrize(
    "vendor", [WHATSAPP, {**WEBHOOK, "WEBHOOK_CHANNELS": "sms, whatsapp"}]
)
def test_a_fallback_from_whatsapp_needs_receipts(vendor: dict[str, str]) -> None:
    assert problems(**vendor) == (NO_RECEIPTS,)
    assert load(**vendor, **PUBLIC).whatsapp_wait == 10.0
    assert load(**vendor, WHATSAPP_WAIT="0").public_base_url is None


def test_a_webhook_for_texts_needs_none() -> None:
    assert load(**WEBHOOK).public_base_url is None


def test_whatsapp_cannot_go_first_without_a_vendor() -> None:
    assert problems(WHATSAPP_FIRST="true", **WEBHOOK) == (
        f"WHATSAPP_FIRST: {NO_VENDOR} WhatsApp (WHATSAPP_ACCESS_TOKEN)",
    )
    assert load(WHATSAPP_FIRST="true", **WHATSAPP, **PUBLIC).whatsapp_first


def test_countries_to_call_need_a_vendor() -> None:
    assert problems(VOICE_COUNTRIES="IN", **WEBHOOK) == (
        f"VOICE_COUNTRIES: {NO_VENDOR} calls (TWILIO_VOICE_NUMBER)",
    )
    for vendor in (VOICE, {**WEBHOOK, "WEBHOOK_CHANNELS": "voice"}):
        assert load(VOICE_COUNTRIES="IN", **vendor).voice_countries == ("IN",)


def test_countries_to_call_are_countries_that_are_served() -> None:
    assert problems(VOICE_COUNTRIES="IN, US, AE", **VOICE) == (
        "VOICE_COUNTRIES: has AE, which ALLOWED_COUNTRIES lacks",
    )


def test_every_option_is_known_here() -> None:
    assert CHANGED.keys() == {name for names in OPTIONS.values() for name in names}


@pytest.mark.parametrize(
    ("vendor", "option"),
    [(vendor, option) for vendor, options in OPTIONS.items() for option in options],
)
def test_an_option_without_its_vendor_names_both(vendor: str, option: str) -> None:
    found = problems(**{option: CHANGED[option]})

    assert found == (f"{option}: means nothing without {REQUIRED[vendor][0]}",)


def test_an_option_with_its_vendor_is_taken() -> None:
    options = {it: CHANGED[it] for it in OPTIONS["The webhook"]}

    assert load(**WEBHOOK, **options).webhook_format == "form"


def test_an_option_of_half_a_vendor_is_not_blamed_too() -> None:
    found = problems(VONAGE_API_KEY="key", VONAGE_SIGNATURE_SECRET="secret")

    assert [it.split(":")[0] for it in found] == ["VONAGE_API_SECRET", "VONAGE_SENDER"]
