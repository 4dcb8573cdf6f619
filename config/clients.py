"""Whom tokens are for, by storefront, and the file of service clients."""

import re
from typing import Annotated, Any

from config.fields import read, read_list
from config.lists import parse_origin
from config.toml_tables import Table, read_tables

_AUDIENCE = re.compile(r"[!-~]{1,200}")
CLIENT = re.compile(r"svc-[a-z0-9-]{1,16}")


def parse_audience(text: str) -> tuple[str, str]:
    """Read ``https://shop.example.com=shop``: a storefront, or a service client.

    Raises:
        ValueError: it looks like neither.
    """
    storefront, equals, audience = text.rpartition("=")
    if not (equals and _AUDIENCE.fullmatch(audience)):
        raise ValueError("must look like https://shop.example.com=shop")
    if not (CLIENT.fullmatch(storefront) or storefront == "direct"):
        storefront = parse_origin(storefront)
    return storefront, audience


def read_clients(path: str) -> tuple[Table, ...]:
    """Return the file's ``[[client]]`` tables, in order.

    Raises:
        ValueError: it cannot be read, is not TOML, or holds something else.
    """
    return read_tables(path, "client")


StorefrontAudiences = Annotated[tuple[tuple[str, str], ...], read_list(parse_audience)]
ServiceClientsFile = Annotated[tuple[dict[str, Any], ...], read(read_clients)]
