"""What is seen at start-up of routes, senders, prices and texts."""

from pathlib import Path

import pytest

from backend.delivery import build_prices, build_routes, build_senders, build_templates
from backend.wiring import configured_providers, find_problems
from config.config import Settings, load_settings
from config.tables import VENDORS
from utils.phone import PhoneNumber

INDIAN = PhoneNumber("+919876543210", "IN", 91)
AMERICAN = PhoneNumber("+12125550123", "US", 1)

TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_PHONE_NUMBER": "+15005550006",
}
FAST2SMS = {"FAST2SMS_API_KEY": "key"}
VOICE = {"TWILIO_VOICE_NUMBER": "+15005550006"}
AWS = {
    "AWS_SMS_REGION": "ap-south-1",
    "AWS_SMS_ACCESS_KEY_ID": "key",
    "AWS_SMS_SECRET_ACCESS_KEY": "secret",
    "AWS_SMS_SENDER": "QKCART",
}
EVERY_VENDOR = {
    **TWILIO,
    **FAST2SMS,
    **VOICE,
    **AWS,
    "TWILIO_VERIFY_SERVICE_SID": "VA" + "0" * 32,
    "MSG91_AUTH_KEY": "key",
    "MSG91_TEMPLATE_ID": "template",
    "VONAGE_API_KEY": "key",
    "VONAGE_API_SECRET": "secret",
    "VONAGE_SENDER": "QuickCart",
    "PLIVO_AUTH_ID": "id",
    "PLIVO_AUTH_TOKEN": "token",
    "PLIVO_SENDER": "QuickCart",
    "INFOBIP_API_KEY": "key",
    "INFOBIP_BASE_URL": "https://abc123.api.infobip.com",
    "INFOBIP_SENDER": "QuickCart",
    "MESSAGEBIRD_ACCESS_KEY": "key",
    "MESSAGEBIRD_SENDER": "QuickCart",
    "WHATSAPP_ACCESS_TOKEN": "token",
    "WHATSAPP_PHONE_NUMBER_ID": "123",
    "WHATSAPP_TEMPLATE": "otp_login",
    "WHATSAPP_APP_SECRET": "secret",
    "WEBHOOK_URL": "https://sms.example.com/send",
    "WEBHOOK_SECRET": "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
}


def load(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problems(**environ: str) -> list[str]:
    return list(find_problems(load(**environ)))


def vendors(settings: Settings, phone: PhoneNumber) -> list[str]:
    routes = build_routes(settings, configured_providers(settings))
    return [hop.name for hop in routes.vendors_for("sms", phone)]


def test_every_vendor_has_the_name_that_settings_call_it_by() -> None:
    providers = configured_providers(load(**EVERY_VENDOR))

    assert {it.name for it in providers} == {*VENDORS, "console"}


def test_development_needs_no_settings() -> None:
    assert problems() == []
    assert problems(**EVERY_VENDOR) == []


def test_routes_decide_who_sends_and_in_which_order() -> None:
    settings = load(
        **TWILIO,
        **FAST2SMS,
        ALLOWED_COUNTRIES="IN, US",
        SMS_ROUTES="+91: fast2sms, twilio; *: twilio",
    )

    assert find_problems(settings) == ()
    assert vendors(settings, INDIAN) == ["fast2sms", "twilio", "console"]
    assert vendors(settings, AMERICAN) == ["twilio", "console"]
    assert vendors(load(**TWILIO, **FAST2SMS), INDIAN) == [
        "twilio",
        "fast2sms",
        "console",
    ]


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text('[[template]]\ntext = "{brand}"\n[[template]]\nvendor = "x"\n')

    assert problems(
        **TWILIO,
        **VOICE,
        ALLOWED_COUNTRIES="IN, US, AE",
        VOICE_COUNTRIES="IN",
        SMS_ROUTES="+91: fast2sms, vonage; +1: twilio_voice, twilio",
        WHATSAPP_ROUTES="*: whatsapp",
        VOICE_ROUTES="+1: twilio_voice",
        SMS_TEMPLATES_FILE=str(file),
        AUTOFILL_HOST="a-very-long-name-of-a-shop.and-of-its-site.example.com",
        BRAND_NAME="The Longest of Names",
    ) == [
        "SMS_ROUTES: entry 1: fast2sms is not configured",
        "SMS_ROUTES: entry 1: vonage is not configured",
        "SMS_ROUTES: entry 2: twilio_voice does not send by sms",
        "WHATSAPP_ROUTES: entry 1: whatsapp is not configured",
        "ALLOWED_COUNTRIES: no sms vendor in SMS_ROUTES serves IN",
        "ALLOWED_COUNTRIES: no sms vendor in SMS_ROUTES serves AE",
        "VOICE_COUNTRIES: no voice vendor in VOICE_ROUTES serves IN",
        "SMS_TEMPLATES_FILE: template 1: text lacks {code}",
        "SMS_TEMPLATES_FILE: template 2: vendor must be one of " + ", ".join(VENDORS),
        "SMS_TEMPLATES_FILE: template 2: text is missing",
        (
            "BRAND_NAME, AUTOFILL_HOST: together 23 characters too long: not even the"
            " shortest text fits one SMS, which in some languages is of 70 characters"
        ),
    ]


def test_a_vendor_of_one_country_is_no_route_to_another() -> None:
    assert problems(**FAST2SMS, SMS_ROUTES="+44: fast2sms; *: fast2sms") == [
        "SMS_ROUTES: entry 1: fast2sms does not send to +44"
    ]


def test_countries_without_any_vendor_are_named_in_production() -> None:
    found = problems(
        **FAST2SMS,
        FLASK_ENV="production",
        SECRET_KEY="n2VQ8sLr0xYt5WbKc7MdJf3GhZpAeUi9",
        REDIS_URL="redis://redis:6379/0",
        TOKEN_ISSUER="https://auth.example.com",
        ALLOWED_COUNTRIES="IN, US",
    )

    assert found == ["ALLOWED_COUNTRIES: no sms vendor that is configured serves US"]


def test_voice_countries_do_not_matter_without_voice() -> None:
    settings = {**TWILIO, "VOICE_COUNTRIES": "US", "VOICE_ROUTES": ""}

    assert problems(**settings) == []
    assert problems(**settings, **VOICE) == []


def test_dlt_ids_must_be_there_for_all_that_needs_them(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text(
        """
        [[template]]
        vendor = "aws"
        country = "IN"
        purpose = "login"
        text = "{code} is your {brand} code."
        dlt_entity_id = "1101000000000000001"
        dlt_template_id = "1107000000000000002"
        dlt_text = "{#numeric#} is your {#alphanumeric#} code."
        """
    )
    given = {"SMS_TEMPLATES_FILE": str(file)}

    [found] = problems(**AWS, **given)
    assert found.startswith("SMS_TEMPLATES_FILE: aws has DLT ids for India, but not")
    assert problems(**TWILIO, **given) == []


def test_senders_prices_and_texts_are_as_configured(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text('[[template]]\nlocale = "ta"\ntext = "{code} {host}"\n')
    settings = load(
        **TWILIO,
        SENDER_IDS="twilio +91: QKCART",
        SMS_PRICES="twilio +91: 0.0832, *: 0.05",
        SMS_TEMPLATES_FILE=str(file),
        AUTOFILL_HOST="quickcart.in",
        ANDROID_APP_HASH="FA+9qCX9VSu",
    )
    templates = build_templates(settings)

    def write(locale: str, client: str) -> str:
        return templates.render(
            "123456",
            vendor="twilio",
            region="IN",
            locale=locale,
            purpose="login",
            client=client,
            ttl_seconds=300,
        ).text

    assert build_senders(settings).pick("twilio", INDIAN, 0) == "QKCART"
    assert build_prices(settings).of("twilio", INDIAN) == pytest.approx(0.0832)
    assert build_prices(settings).of("twilio", AMERICAN) == pytest.approx(0.05)
    assert write("ta", "web") == "123456 quickcart.in"
    assert write("en", "web").endswith("\n\n@quickcart.in #123456")
    assert write("en", "android").endswith("\n\nFA+9qCX9VSu")
