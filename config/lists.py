"""Comma lists, and what stands in them: countries, phones, origins, proxies.

A message names an item by its place and never repeats it: a secret pasted into the
wrong variable must not end up in a log.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar
from urllib.parse import urlsplit

import phonenumbers

Item = TypeVar("Item")
Network = IPv4Network | IPv6Network

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"http": 80, "https": 443}
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    r"(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
# 3GPP TS 23.040 9.1.2.5: a sender in letters has at most 11 of them.
SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9 ]{1,9}[A-Za-z0-9])")
SHORT_CODE = re.compile(r"[0-9]{3,8}")
ORIGIN = re.compile(
    r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?"
)


def items(text: str) -> list[str]:
    """Split at commas; empty places do not count."""
    return [item for part in text.split(",") if (item := part.strip())]


def parse_list(text: str, parse: Callable[[str], Item]) -> tuple[Item, ...]:
    """Read each item once, in order.

    Raises:
        ValueError: names every item that cannot be read, by its place.
    """
    parsed: dict[Item, None] = {}
    problems = []
    for place, item in enumerate(items(text), start=1):
        try:
            parsed[parse(item)] = None
        except ValueError as error:
            problems.append(f"item {place} {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(parsed)


def parse_country(text: str) -> str:
    """Read a country that libphonenumber knows, as ISO 3166 writes it."""
    country = text.upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        message = "must be a two-letter country code (ISO 3166-1) such as IN"
        raise ValueError(message)
    return country


def parse_phone(text: str) -> str:
    """Read a phone number in the one spelling everything else uses."""
    message = "must be a phone number in E.164, such as +919876543210"
    if not E164.fullmatch(text):
        raise ValueError(message)
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise ValueError(message) from None
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != text:
        raise ValueError(message)
    return text


def parse_sender(text: str) -> str:
    """Read who a message is from: a phone number, a short code or a name."""
    if SENDER_NAME.fullmatch(text) or SHORT_CODE.fullmatch(text):
        return text
    try:
        return parse_phone(text)
    except ValueError:
        raise ValueError(
            "must be a phone number in E.164, a short code, or a name of 3 to 11"
            " letters and digits"
        ) from None


def is_name(sender: str) -> bool:
    """Say whether a sender is a name, not a number or a short code."""
    return not sender.lstrip("+").isdigit()


def parse_host(text: str) -> str:
    """Read a bare host name."""
    host = text.lower()
    if not HOST.fullmatch(host):
        message = "must be a host name alone, such as shop.example.com"
        raise ValueError(message)
    return host


def parse_origin(text: str) -> str:
    """Read an origin exactly as browsers send it (RFC 6454), or `*`."""
    origin = text.lower()
    if origin == "*":
        return origin
    match = ORIGIN.fullmatch(origin)
    if not match:
        message = "must be scheme://host or scheme://host:port, with nothing after it"
        raise ValueError(message)
    scheme, _, port = match.groups()
    if port and int(port[1:]) == DEFAULT_PORTS.get(scheme):
        message = f"must leave out {port}: browsers do"
        raise ValueError(message)
    return origin


def parse_network(text: str) -> Network:
    """Read an address or a CIDR block of proxies, never the whole internet."""
    try:
        network = ip_network(text)
    except ValueError:
        message = "must be an address or a block such as 10.0.0.0/8"
        raise ValueError(message) from None
    if network.prefixlen == 0:
        message = "would let every client choose its own address"
        raise ValueError(message)
    return network


def parse_proxies(text: str) -> tuple[Network, ...] | int:
    """Read which proxies are the operator's: where they are, or how many."""
    if not re.fullmatch(r"[0-9]+", text.strip()):
        return parse_list(text, parse_network)
    most = 9
    if not 1 <= int(text) <= most:
        message = f"must be a number of proxies from 1 to {most}, or their addresses"
        raise ValueError(message)
    return int(text)


def parse_url(text: str) -> str:
    """Read an http or https URL without credentials, query or fragment."""
    message = "must be a URL such as https://auth.example.com"
    try:
        parts = urlsplit(text)
        named = parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        raise ValueError(message) from None
    plain = text.isascii() and text.isprintable() and not set(text) & set(" ?#@\\")
    if parts.scheme not in DEFAULT_PORTS or not named or not plain:
        raise ValueError(message)
    return text


def parse_issuer(text: str) -> str:
    """Read the URL that tokens name; verifiers compare it byte by byte."""
    if text.endswith("/"):
        message = "must not end with a slash"
        raise ValueError(message)
    return parse_url(text)


def is_safe_url(url: str) -> bool:
    """Say whether nobody between can read it: not http, or this very machine."""
    parts = urlsplit(url)
    return parts.scheme != "http" or parts.hostname in LOOPBACK_HOSTS
