"""The vendors' settings: what switches each of them on, and what it cannot do without.

The presence of a vendor's credentials switches it on; ``docs/providers.md`` says where
each of them is found.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings

from config import fields

# Each vendor, and what it needs all of. Either of two is written "A|B".
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Twilio": (
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        (
            "TWILIO_PHONE_NUMBER|TWILIO_MESSAGING_SERVICE_SID"
            "|TWILIO_VERIFY_SERVICE_SID|TWILIO_VOICE_NUMBER"
        ),
    ),
    "MSG91": ("MSG91_AUTH_KEY", "MSG91_TEMPLATE_ID"),
    "Vonage": ("VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_SENDER"),
    "Plivo": ("PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN", "PLIVO_SENDER"),
    "Infobip": ("INFOBIP_API_KEY", "INFOBIP_BASE_URL", "INFOBIP_SENDER"),
    "MessageBird": ("MESSAGEBIRD_ACCESS_KEY", "MESSAGEBIRD_SENDER"),
    "AWS": (
        "AWS_SMS_REGION",
        "AWS_SMS_ACCESS_KEY_ID",
        "AWS_SMS_SECRET_ACCESS_KEY",
        "AWS_SMS_SENDER",
    ),
    "WhatsApp": (
        "WHATSAPP_ACCESS_TOKEN",
        "WHATSAPP_PHONE_NUMBER_ID",
        "WHATSAPP_TEMPLATE",
        "WHATSAPP_APP_SECRET",
    ),
    "The webhook": ("WEBHOOK_URL", "WEBHOOK_SECRET"),
}

# Each vendor, and what means nothing without it. Fast2SMS has rules of its own.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "MSG91": ("MSG91_API",),
    "Vonage": ("VONAGE_SIGNATURE_SECRET", "VONAGE_SIGNATURE_METHOD"),
    "AWS": ("AWS_SMS_CONFIGURATION_SET",),
    "WhatsApp": ("WHATSAPP_LANGUAGES",),
    "The webhook": (
        "WEBHOOK_CHANNELS",
        "WEBHOOK_COUNTRIES",
        "WEBHOOK_FORMAT",
        "WEBHOOK_BODY",
        "WEBHOOK_HEADERS",
        "WEBHOOK_ALLOWED_HOSTS",
    ),
}

# Where codes and credentials are sent: never in the clear in production.
BASE_URLS = (
    "TWILIO_BASE_URL",
    "TWILIO_VERIFY_BASE_URL",
    "FAST2SMS_BASE_URL",
    "MSG91_BASE_URL",
    "VONAGE_BASE_URL",
    "VONAGE_API_BASE_URL",
    "PLIVO_BASE_URL",
    "INFOBIP_BASE_URL",
    "MESSAGEBIRD_BASE_URL",
    "AWS_SMS_BASE_URL",
    "WHATSAPP_BASE_URL",
    "WEBHOOK_URL",
)


class VendorSettings(BaseSettings):
    """Every vendor's credentials and ways; None switches a vendor or an option off."""

    # Twilio: messages, Verify, voice
    twilio_account_sid: fields.AccountSid | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_phone_number: fields.Sender | None = None
    twilio_messaging_service_sid: fields.ServiceSid | None = None
    twilio_base_url: fields.BaseUrl = "https://api.twilio.com"
    twilio_verify_service_sid: fields.VerifySid | None = None
    twilio_verify_base_url: fields.BaseUrl = "https://verify.twilio.com"
    twilio_voice_number: fields.PhoneText | None = None

    # Fast2SMS
    fast2sms_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("FAST2SMS_API_KEY", "REACT_APP_FAST2SMS_API_KEY"),
    )
    fast2sms_base_url: fields.BaseUrl = "https://www.fast2sms.com"
    fast2sms_route: fields.Route = "otp"
    fast2sms_sender_id: fields.DltHeader | None = None
    fast2sms_message_id: fields.DltMessageId | None = None

    # MSG91
    msg91_auth_key: SecretStr | None = None
    msg91_template_id: fields.Word | None = None
    msg91_api: fields.Msg91Api = "otp"
    msg91_base_url: fields.BaseUrl = "https://control.msg91.com"

    # Vonage
    vonage_api_key: fields.Word | None = None
    vonage_api_secret: SecretStr | None = None
    vonage_sender: fields.Sender | None = None
    vonage_signature_secret: SecretStr | None = None
    vonage_signature_method: fields.SignatureMethod = "sha256"
    vonage_base_url: fields.BaseUrl = "https://rest.nexmo.com"
    vonage_api_base_url: fields.BaseUrl = "https://api.nexmo.com"

    # Plivo
    plivo_auth_id: fields.Word | None = None
    plivo_auth_token: SecretStr | None = None
    plivo_sender: fields.Sender | None = None
    plivo_base_url: fields.BaseUrl = "https://api.plivo.com"

    # Infobip
    infobip_api_key: SecretStr | None = None
    infobip_base_url: fields.BaseUrl | None = None
    infobip_sender: fields.Sender | None = None

    # MessageBird
    messagebird_access_key: SecretStr | None = None
    messagebird_sender: fields.Sender | None = None
    messagebird_base_url: fields.BaseUrl = "https://rest.messagebird.com"

    # AWS End User Messaging
    aws_sms_region: fields.AwsRegion | None = None
    aws_sms_access_key_id: fields.Word | None = None
    aws_sms_secret_access_key: SecretStr | None = None
    aws_sms_sender: fields.Word | None = None
    aws_sms_configuration_set: fields.Word | None = None
    aws_sms_base_url: fields.BaseUrl | None = None

    # WhatsApp Cloud API
    whatsapp_access_token: SecretStr | None = None
    whatsapp_phone_number_id: fields.Digits | None = None
    whatsapp_template: fields.TemplateName | None = None
    whatsapp_languages: fields.Languages = ("en",)
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_base_url: fields.BaseUrl = "https://graph.facebook.com/v23.0"

    # Any gateway that takes a webhook
    webhook_url: fields.WebhookUrl | None = None
    webhook_secret: fields.WebhookSecret | None = None
    webhook_channels: fields.Channels = ("sms",)
    webhook_countries: fields.Countries = ()
    webhook_format: fields.BodyFormat = "json"
    webhook_body: Annotated[str | None, fields.read_json_object] = Field(
        default=None, repr=False
    )
    webhook_headers: Annotated[str | None, fields.read_json_object] = Field(
        default=None, repr=False
    )
    webhook_allowed_hosts: fields.HostNames = ()

    @property
    def has_twilio(self) -> bool:
        """Whether Twilio is configured; `load_settings` refuses half of it."""
        return bool(self.twilio_account_sid or self.twilio_auth_token)

    @property
    def has_fast2sms(self) -> bool:
        """Whether Fast2SMS is configured; `load_settings` refuses half of it."""
        return self.fast2sms_api_key is not None
