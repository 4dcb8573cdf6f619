"""What is seen at start-up of routes, senders, prices and texts."""

from pathlib import Path

import pytest

from backend.composition.checked_settings import configured_providers, find_problems
from backend.composition.delivery import (
    build_routes,
    build_senders,
    build_templates,
)
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
    "PUBLIC_BASE_URL": "https://auth.example.com",
}
VONAGE = {name: it for name, it in EVERY_VENDOR.items() if name.startswith("VONAGE")}


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
        SUBJECT_KEY="Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
        REDIS_URL="redis://redis:6379/0",
        TOKEN_ISSUER="https://auth.example.com",
        ALLOWED_COUNTRIES="IN, US",
    )

    assert found == ["ALLOWED_COUNTRIES: no sms vendor that is configured serves US"]


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
    # Who has none of these vendors is not asked for more ids.
    assert problems(**TWILIO, **given) == [
        "SMS_TEMPLATES_FILE: template 1: is for aws, which is not configured"
    ]


@pytest.mark.parametrize(
    ("vendor", "settings"),
    [
        ("fast2sms", {}),
        (
            "fast2sms",
            {
                "FAST2SMS_ROUTE": "dlt",
                "FAST2SMS_SENDER_ID": "QKCART",
                "FAST2SMS_MESSAGE_ID": "111111",
            },
        ),
        *((it, {}) for it in ("msg91", "twilio_verify", "whatsapp", "twilio_voice")),
    ],
)
def test_a_vendor_with_words_of_its_own_takes_none_of_ours(
    vendor: str, settings: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "templates.toml"
    file.write_text(f'[[template]]\nvendor = "{vendor}"\ntext = "{{code}}"\n')

    assert problems(**EVERY_VENDOR, **settings, SMS_TEMPLATES_FILE=str(file)) == [
        f"SMS_TEMPLATES_FILE: template 1: is for {vendor}, which sends words of its own"
    ]


def test_fast2sms_takes_our_words_on_its_quick_route(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text('[[template]]\nvendor = "fast2sms"\ntext = "{code}"\n')

    found = problems(**FAST2SMS, FAST2SMS_ROUTE="q", SMS_TEMPLATES_FILE=str(file))
    assert found == []


def test_a_text_for_a_country_that_is_not_served_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text('[[template]]\ncountry = "US"\ntext = "{code}"\n')
    given = {**TWILIO, "SMS_TEMPLATES_FILE": str(file)}

    assert problems(**given) == [
        "SMS_TEMPLATES_FILE: template 1: is for US, which is not served"
    ]
    assert problems(**given, ALLOWED_COUNTRIES="IN, US") == []


def test_senders_and_prices_are_for_vendors_that_are_configured() -> None:
    found = problems(
        **TWILIO,
        SENDER_IDS="twilio +91: QKCART; vonage +91: QKCART",
        SMS_PRICES="plivo: 0.01; twilio: 0.05",
    )

    assert found == [
        "SENDER_IDS: entry 2: vonage is not configured",
        "SMS_PRICES: entry 1: plivo is not configured",
    ]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("fast2sms: QKCART", "picks the sender itself, save on FAST2SMS_ROUTE=dlt"),
        ("whatsapp: 12345", "picks the sender itself"),
        ("twilio_verify: QuickCart", "picks the sender itself"),
        ("twilio_voice: +15005550006 | QuickCart", "calls from phone numbers only"),
        ("twilio_voice: 12345", "calls from phone numbers only"),
    ],
)
def test_a_sender_that_would_be_ignored_is_refused(entry: str, fault: str) -> None:
    vendor = entry.partition(":")[0]

    assert problems(**EVERY_VENDOR, SENDER_IDS=f"twilio: QKCART; {entry}") == [
        f"SENDER_IDS: entry 2: {vendor} {fault}"
    ]


def test_a_sender_that_is_used_is_taken() -> None:
    dlt = {
        "FAST2SMS_ROUTE": "dlt",
        "FAST2SMS_SENDER_ID": "QKCART",
        "FAST2SMS_MESSAGE_ID": "111111",
    }
    senders = "fast2sms: OTHERS; twilio_voice: +15005550006; webhook: QKCART"

    assert problems(**EVERY_VENDOR, **dlt, SENDER_IDS=senders) == []


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({}, True),
        ({"SMS_ROUTES": "*: twilio, vonage"}, True),
        ({"SMS_ROUTES": "+1204: vonage; *: twilio"}, True),
        ({"SENDER_IDS": "vonage: QuickCart"}, True),
        ({"SENDER_IDS": "vonage +44: 12345; twilio +1: 12345"}, True),
        ({"SENDER_IDS": "vonage +1: +15005550006"}, False),
        ({"SENDER_IDS": "vonage: QuickCart | 12345"}, False),
        ({"VONAGE_SENDER": "+15005550006"}, False),
        ({"VONAGE_SENDER": "12345"}, False),
        ({"ALLOWED_COUNTRIES": "IN, AE"}, False),
        ({"SMS_ROUTES": "+1: twilio; *: vonage"}, False),
    ],
)
def test_a_name_for_north_america_is_refused(
    changes: dict[str, str], *, is_refused: bool
) -> None:
    settings = {**TWILIO, **VONAGE, "ALLOWED_COUNTRIES": "IN, CA", **changes}
    refusal = (
        "VONAGE_SENDER: is a name, which cannot send to CA; give numbers for vonage +1"
        " in SENDER_IDS"
    )

    assert problems(**settings) == ([refusal] if is_refused else [])


def test_senders_and_texts_are_as_configured(tmp_path: Path) -> None:
    file = tmp_path / "templates.toml"
    file.write_text('[[template]]\nlocale = "ta"\ntext = "{code} {host}"\n')
    settings = load(
        **TWILIO,
        SENDER_IDS="twilio +91: QKCART",
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
    assert write("ta", "web") == "123456 quickcart.in"
    assert write("en", "web").endswith("\n\n@quickcart.in #123456")
    assert write("en", "android").endswith("\n\nFA+9qCX9VSu")
