"""The service's settings: environment variables over `.env`, typed and checked.

Every problem is reported at once, each by its variable's name, and no message, repr
or str holds a secret. `.env.example` says in a line what each setting is for.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from dotenv import dotenv_values
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config import fields
from config.abuse_rules import find_abuse_warnings
from config.abuse_settings import AbuseSettings
from config.alert_settings import AlertSettings
from config.challenge_settings import ChallengeSettings
from config.delivery_settings import DeliverySettings
from config.fields import Environment, between
from config.identity_settings import IdentitySettings
from config.limits import parse_cooldowns, parse_ladder, parse_limits
from config.number_settings import NumberSettings, find_number_warnings
from config.rules import find_conflicts
from config.vendor_settings import VendorSettings

# Each renamed variable is still read, with a warning.
RENAMED = {"REACT_APP_FAST2SMS_API_KEY": "FAST2SMS_API_KEY"}


class SettingsError(ValueError):
    """The service cannot start with these settings; `problems` names all of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n  ".join(("These settings need attention:", *problems)))
        self.problems = problems


class Settings(
    NumberSettings,
    AbuseSettings,
    AlertSettings,
    ChallengeSettings,
    IdentitySettings,
    DeliverySettings,
    VendorSettings,
):
    """All settings, read once at start by `load_settings`.

    Limits are `(count, window_seconds)` pairs that hold together; empty means off.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", enable_decoding=False, hide_input_in_errors=True
    )

    # Server
    environment: fields.EnvironmentName = Field(
        default="production", validation_alias="FLASK_ENV"
    )
    flask_debug: bool = False
    host: fields.Address = "127.0.0.1"
    port: Annotated[int, between(1, 65_535)] = 5000
    workers: Annotated[int, between(1, 64)] = 2
    threads: Annotated[int, between(1, 1024)] = 128
    log_level: fields.LogLevel = "info"
    trusted_proxies: fields.Proxies = ()

    # Secret and store. A missing secret lasts for one start, in development only.
    secret_key: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32))
    )
    redis_url: fields.RedisUrl | None = None

    # Whom we serve
    default_country: fields.Country = "IN"
    allowed_countries: fields.Countries = ()
    brand_name: fields.Brand = "QuickCart"
    autofill_host: fields.HostName | None = None
    storefront_origins: fields.Origins = ()

    # Tokens
    token_issuer: fields.Issuer = ""
    token_audience: fields.Audience = "quickcart"  # noqa: S105 - a name, no secret
    jwt_signing_key: fields.SigningKey | None = None
    # RFC 6750 5.3: bearer tokens live an hour or less.
    access_token_seconds: Annotated[int, between(60, 3600)] = 600
    admin_phones: fields.Phones = Field(default=(), repr=False)
    metrics_token: fields.MetricsToken | None = None

    # App reviewers and end-to-end tests
    test_numbers: fields.NumberRanges = Field(default=(), repr=False)
    test_numbers_until: fields.Day | None = None

    # Codes
    # OWASP ASVS v5.0.0-13.1.3 asks for a timeout; people press resend after 7 to 10 s.
    sms_deadline_seconds: Annotated[float, between(1, 15)] = 8.0
    # NIST SP 800-63B-4 3.1.3.2, OWASP ASVS v5.0.0-6.5.5: at most 10 minutes.
    code_ttl_seconds: Annotated[int, between(60, 600)] = 300
    # Five guesses at six digits: 5 in a million. Twilio Verify allows five, too.
    code_max_checks: Annotated[int, between(3, 10)] = 5
    resend_cooldowns: fields.Cooldowns = parse_cooldowns("30, 60, 120, 300")
    # Each live code is one more that a guess can hit.
    live_verifications_per_phone: Annotated[int, between(1, 3)] = 3

    # Limits of one phone
    # Telnyx Verify allows 3 and Twilio Verify 5 sends in 10 minutes.
    sends_per_phone: fields.LimitList = parse_limits("3/10m, 5/1h, 10/24h")
    # NIST SP 800-63B-4 3.2.2: at most 100 in a row; 15 are 1.5 in 100,000 a day.
    wrong_checks_per_phone: fields.LimitList = parse_limits("15/24h")
    # NIST SP 800-63B-4 3.2.2: waits from 30 seconds up to an hour.
    lock_ladder: fields.LockLadder = parse_ladder("5:30s, 8:2m, 10:15m, 12:1h")

    # No variable: what the operator should know about how the others were read.
    warnings: tuple[str, ...] = ()

    @property
    def ephemeral_secret(self) -> bool:
        """Whether the secret was made up at this start and dies with it."""
        return "secret_key" not in self.model_fields_set

    @property
    def embedded_store(self) -> bool:
        """Whether everything is kept inside this one process."""
        return self.redis_url is None

    @property
    def signing_key_pem(self) -> bytes | None:
        """The token signing key's PEM, or None to derive one from the secret."""
        key = self.jwt_signing_key
        return key.get_secret_value().encode() if key else None

    @field_validator("allowed_countries")
    @classmethod
    def _default_country_if_none(
        cls, countries: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        if (rules := info.data.get("number_policy_file")) is not None:
            return tuple(rules.served())
        default = info.data.get("default_country")
        return countries or ((default,) if default else ())

    @field_validator("token_issuer")
    @classmethod
    def _local_issuer_in_development(cls, issuer: str, info: ValidationInfo) -> str:
        if not issuer and info.data.get("environment") == "development":
            return f"http://localhost:{info.data.get('port')}"
        return issuer

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing unasked: `load_settings` brings the values."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def variable_names() -> tuple[str, ...]:
    """Return the name of every variable, in the order of the settings."""
    apart = {
        **AbuseSettings.model_fields,
        **NumberSettings.model_fields,
        **IdentitySettings.model_fields,
        **DeliverySettings.model_fields,
        **VendorSettings.model_fields,
        **ChallengeSettings.model_fields,
        **AlertSettings.model_fields,
    }
    own = [name for name in Settings.model_fields if name not in apart]
    return tuple(
        "FLASK_ENV" if name == "environment" else name.upper()
        for name in (*own, *apart)
        if name != "warnings"
    )


def load_settings(
    *,
    default_environment: Environment = "production",
    env_file: str | Path | None = ".env",
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read `environ` (the process's own if None) over `env_file`.

    Empty values count as unset. A missing file is no problem.

    Raises:
        SettingsError: names every problem at once.
    """
    variables = {
        "FLASK_ENV": default_environment,
        **_read_file(env_file),
        **_given(os.environ if environ is None else environ),
    }
    values = _values(variables)
    warnings = tuple(
        f"{old}: was renamed; write {new}"
        for old, new in RENAMED.items()
        if old in variables and new not in variables
    )
    failed = frozenset[str]()
    problems: list[str] = []
    try:
        settings = Settings(**values, warnings=warnings)
    except ValidationError as error:
        # What is left is still checked together, so that one start shows all.
        details = error.errors(include_url=False, include_input=False)
        problems += [f"{_variable(detail)}: {_reason(detail)}" for detail in details]
        failed = frozenset(_variable(detail) for detail in details)
        values = {
            name: text for name, text in values.items() if name.upper() not in failed
        }
        settings = Settings(**values, warnings=warnings)
    problems += [
        f"{conflict.variables[0]}: {conflict.message}"
        for conflict in find_conflicts(settings)
        if failed.isdisjoint(conflict.variables)
    ]
    if problems:
        raise SettingsError(tuple(problems))
    warnings += (*find_abuse_warnings(settings), *find_number_warnings(settings))
    return settings.model_copy(update={"warnings": warnings})


def _given(variables: Mapping[str, str | None]) -> dict[str, str]:
    stripped = {name: (text or "").strip() for name, text in variables.items()}
    return {name: text for name, text in stripped.items() if text}


def _read_file(env_file: str | Path | None) -> dict[str, str]:
    if env_file is None:
        return {}
    try:
        # No interpolation: a secret may hold "${".
        return _given(dotenv_values(env_file, interpolate=False))
    except (OSError, UnicodeDecodeError):
        raise SettingsError((f"{env_file}: cannot be read as UTF-8 text",)) from None


def _values(variables: Mapping[str, str]) -> dict[str, Any]:
    known = {*variable_names(), *RENAMED}
    source = EnvSettingsSource(Settings)
    source.env_vars = {
        name.lower(): text for name, text in variables.items() if name in known
    }
    return source()


def _variable(detail: ErrorDetails) -> str:
    return str(detail["loc"][0]).upper()


def _reason(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "int_parsing" | "int_parsing_size":
            return "must be a whole number"
        case "float_parsing":
            return "must be a number"
        case "bool_parsing":
            return "must be true or false"
        case "literal_error":
            return f"must be {detail['ctx']['expected']}"
        case _:  # Not pydantic's own words: they might repeat the value.
            return "has a value that cannot be read"
