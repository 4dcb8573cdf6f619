"""Where webhooks may lead, and what the gateway's body and headers may hold."""

import re
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

if TYPE_CHECKING:
    from config.config import Settings

# A host name -> its addresses; none where it has no address now.
Resolve = Callable[[str], Collection[str]]

# services/sms/providers/webhook.py fills them in; a test holds both together.
PLACEHOLDERS = frozenset(
    {
        "id",
        "to",
        "national",
        "country",
        "channel",
        "locale",
        "sender",
        "text",
        "code",
        "ttl_seconds",
        "dlt_entity_id",
        "dlt_template_id",
    }
)
# By each of these the code gets to the phone.
_TELLING = frozenset({"code", "text"})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

# RFC 9110 5.6.2 and 5.5; beyond ASCII nobody agrees what a header means.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")
# Ours to write: the message's kind and size, the connection, the signature.
_OUR_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)

# RFC 6052: IPv4 behind a translator, in the last four bytes.
_TRANSLATED = ip_network("64:ff9b::/96")


def resolve_host(host: str) -> Collection[str]:
    """Ask the system for a host's addresses."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return {str(address[0]) for *_, address in found}


def find_webhook_conflicts(settings: "Settings") -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the webhook's body and headers, each by its variable."""
    body = _read(settings.webhook_body)
    used = set(_find_placeholders(body))
    unknown = sorted(used - PLACEHOLDERS)
    if body is None:
        yield "WEBHOOK_BODY", "must be a JSON object"
    elif unknown:
        yield "WEBHOOK_BODY", f"has an unknown placeholder: {{{unknown[0]}}}"
    elif settings.webhook_body is not None and used.isdisjoint(_TELLING):
        yield "WEBHOOK_BODY", "lacks {code} and {text}: nobody would get a code by it"
    elif settings.webhook_format == "form" and not all(
        _fits_form(it) for it in body.values()
    ):
        yield "WEBHOOK_BODY", "must have texts and numbers only, to be sent as a form"
    headers = _read(settings.webhook_headers)
    if headers is None or not all(_is_header(*it) for it in headers.items()):
        yield "WEBHOOK_HEADERS", "must be a JSON object of header names and texts"
    elif _OUR_HEADERS & {name.lower() for name in headers}:
        yield (
            "WEBHOOK_HEADERS",
            f"must leave these to the service: {', '.join(sorted(_OUR_HEADERS))}",
        )


def find_private_webhook(
    settings: "Settings", *, resolve: Resolve = resolve_host
) -> Iterator[str]:
    """Yield a problem for each webhook that leads where nobody outside could reach.

    Whoever can set the address, and not the host's name, is not to reach what stands
    beside this service. A name that has no address now is no problem: it may have
    one later.
    """
    for name, url, allowed in (
        ("WEBHOOK", settings.webhook_url, settings.webhook_allowed_hosts),
        (
            "ALERT_WEBHOOK",
            settings.alert_webhook_url,
            settings.alert_webhook_allowed_hosts,
        ),
    ):
        if url and _leads_inside(url, allowed, resolve):
            yield (
                f"{name}_URL: leads to a private address; if it is yours, name its host"
                f" in {name}_ALLOWED_HOSTS"
            )


def _leads_inside(url: str, allowed: Collection[str], resolve: Resolve) -> bool:
    # The trailing dot of a full name makes it no other host.
    host = (urlsplit(url).hostname or "").rstrip(".")
    address = _address(host)
    if (str(address) if address else host) in allowed:
        return False
    addresses = [address] if address else [_address(it) for it in resolve(host)]
    return not all(it and _is_public(it) for it in addresses)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inside = IPv4Address(address.packed[-4:])
        if inside is not None:
            return _is_public(inside)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _read(text: str | None) -> dict[str, Any] | None:
    """Read a setting as what sends it does; an empty object where it is not set."""
    if text is None:
        return {}
    try:
        document = orjson.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _find_placeholders(document: object) -> Iterator[str]:
    if isinstance(document, str):
        yield from _PLACEHOLDER.findall(document)
    elif isinstance(document, Mapping | list):
        children = document.values() if isinstance(document, Mapping) else document
        for child in children:
            yield from _find_placeholders(child)


def _fits_form(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_header(name: str, value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(_HEADER_NAME.fullmatch(name))
        and bool(_HEADER_VALUE.fullmatch(value))
    )
