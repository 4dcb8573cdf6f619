"""The types of settings: how each text is read, and what it must look like."""

import base64
import json
import re
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from config.keys import parse_signing_key
from config.limits import Ladder, Limits, parse_cooldowns, parse_ladder, parse_limits
from config.lists import (
    Network,
    parse_country,
    parse_host,
    parse_issuer,
    parse_list,
    parse_origin,
    parse_phone,
    parse_proxies,
    parse_sender,
    parse_url,
)
from config.test_numbers import TestNumbers, parse_date, parse_test_numbers


def read(parse: Callable[[str], Any]) -> BeforeValidator:
    """Parse text; defaults are parsed already."""
    return BeforeValidator(
        lambda value: parse(value) if isinstance(value, str) else value
    )


def read_list(parse: Callable[[str], Any]) -> BeforeValidator:
    """Parse a comma list, item by item."""
    return read(lambda text: parse_list(text, parse))


def between(low: int, high: int) -> AfterValidator:
    """Ask for a number from `low` to `high`."""

    def check(value: float) -> float:
        if not low <= value <= high:
            message = f"must be between {low} and {high}"
            raise ValueError(message)
        return value

    return AfterValidator(check)


def like(pattern: str, meaning: str) -> BeforeValidator:
    """Ask for text of one shape."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            message = f"must be {meaning}"
            raise ValueError(message)
        return text

    return read(parse)


def _parse_address(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(text))
    except ValueError:
        message = "must be an IP address to listen on, such as 127.0.0.1 or 0.0.0.0"
        raise ValueError(message) from None


def _parse_host_or_address(text: str) -> str:
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        return parse_host(text)


def _parse_redis_url(text: str) -> str:
    message = "must be redis://host:port/0, rediss://host:port/0 or unix:///path"
    try:
        parts = urlsplit(text)
        place = parts.path if parts.scheme == "unix" else parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError(message) from None
    if parts.scheme not in {"redis", "rediss", "unix"} or not place:
        raise ValueError(message)
    return text


def _parse_brand(text: str) -> str:
    longest = 20
    if not (1 <= len(text) <= longest and text.isprintable()):
        message = f"must be 1 to {longest} characters without control characters"
        raise ValueError(message)
    return text


def _parse_language(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}", text):
        message = "must be a language such as en or pt-BR"
        raise ValueError(message)
    return text


def _parse_webhook_secret(text: str) -> str:
    message = "must be whsec_ and 24 to 64 bytes in base64"
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError(message) from None
    shortest, longest = 24, 64
    if not shortest <= len(key) <= longest:
        raise ValueError(message)
    return text


def _parse_json_object(text: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        message = "must be a JSON object"
        raise ValueError(message)  # noqa: TRY004 - pydantic reads ValueError
    return text


Environment = Literal["development", "production"]
EnvironmentName = Annotated[Environment, read(str.lower)]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], read(str.lower)
]
Route = Annotated[Literal["otp", "dlt", "q"], read(str.lower)]

Address = Annotated[str, read(_parse_address)]
HostName = Annotated[str, read(parse_host)]
# Empty in production until somebody sets it, which a rule asks for.
Issuer = Annotated[str, read(lambda text: parse_issuer(text) if text else text)]
BaseUrl = Annotated[str, read(lambda text: parse_url(text).rstrip("/"))]
Origins = Annotated[tuple[str, ...], read_list(parse_origin)]
Proxies = Annotated[tuple[Network, ...] | int, read(parse_proxies)]

Country = Annotated[str, read(parse_country)]
Countries = Annotated[tuple[str, ...], read_list(parse_country)]
Phones = Annotated[tuple[str, ...], read_list(parse_phone)]
NumberRanges = Annotated[tuple[TestNumbers, ...], read_list(parse_test_numbers)]
Day = Annotated[date, read(parse_date)]

Brand = Annotated[str, read(_parse_brand)]
Audience = Annotated[str, like(r"[!-~]{1,200}", "one word of ASCII characters")]
Sender = Annotated[str, read(parse_sender)]
AccountSid = Annotated[str, like(r"AC[0-9a-fA-F]{32}", "AC and 32 hex digits")]
ServiceSid = Annotated[str, like(r"MG[0-9a-fA-F]{32}", "MG and 32 hex digits")]
DltHeader = Annotated[str, like(r"[A-Za-z0-9]{3,11}", "a DLT header such as QKCART")]
DltMessageId = Annotated[str, like(r"[0-9]{1,30}", "the digits of a message id")]

VerifySid = Annotated[str, like(r"VA[0-9a-fA-F]{32}", "VA and 32 hex digits")]
PhoneText = Annotated[str, read(parse_phone)]
Word = Annotated[str, like(r"[!-~]{1,200}", "one word of ASCII characters")]
Digits = Annotated[str, like(r"[0-9]{1,30}", "digits alone")]
TemplateName = Annotated[
    str, like(r"[a-z0-9_]{1,512}", "a template's name such as otp_login")
]
AwsRegion = Annotated[str, like(r"[a-z]{2}(-[a-z]+)+-[0-9]", "such as eu-west-1")]
Msg91Api = Annotated[Literal["otp", "flow"], read(str.lower)]
SignatureMethod = Annotated[
    Literal["md5hash", "md5", "sha1", "sha256", "sha512"], read(str.lower)
]
Languages = Annotated[tuple[str, ...], read_list(_parse_language)]
Channels = Annotated[
    tuple[Literal["sms", "whatsapp", "voice"], ...], read_list(str.lower)
]
BodyFormat = Annotated[Literal["json", "form"], read(str.lower)]
HostNames = Annotated[tuple[str, ...], read_list(_parse_host_or_address)]
WebhookUrl = Annotated[str, read(parse_url)]
# https://www.standardwebhooks.com: 24 to 64 bytes in base64, after "whsec_".
WebhookSecret = Annotated[SecretStr, read(_parse_webhook_secret)]
read_json_object = read(_parse_json_object)

RedisUrl = Annotated[SecretStr, read(_parse_redis_url)]
SigningKey = Annotated[SecretStr, read(parse_signing_key)]
# As `python -m backend.cli keys subject` prints it: 32 bytes in base64url.
SubjectKey = Annotated[
    SecretStr, like(r"[A-Za-z0-9_-]{43}", "32 bytes in base64url, 43 characters")
]
# 16 characters: nobody guesses a scrape token over the network.
MetricsToken = Annotated[SecretStr, like(r".{16,}", "at least 16 characters")]

LimitList = Annotated[Limits, read(parse_limits)]
LockLadder = Annotated[Ladder, read(parse_ladder)]
Cooldowns = Annotated[tuple[int, ...], read(parse_cooldowns)]
