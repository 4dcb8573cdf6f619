"""Where people ask from: carriers' shared addresses, homes, offices, IPv6, abroad.

An IPv4 address is one subject to the service, and so is an IPv6 /64; ``wider`` is the
/48 around it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address
from typing import NamedTuple

# People behind one address of a carrier, and how many such addresses there are.
CGNAT_PEOPLE = 500
CGNAT_REGIONS = ("IN", "IN", "ID", "BR")

# Of all others: what they ask from, and how many people share it on one day.
_SHARES = {
    "abroad": (0.02, (5, 15)),
    "handset": (0.35, (1, 1)),
    "mobile": (0.23, (10, 40)),
    "office": (0.10, (20, 60)),
    "home": (0.30, (1, 4)),
}
# Customers' handsets in one IPv6 /48.
_HANDSETS_PER_48 = 64

_HONEST, _HOSTILE = IPv4Address("20.0.0.0"), IPv4Address("101.0.0.0")


class Address(NamedTuple):
    """What the service sees of who asks."""

    network: str
    wider: str = ""


def stranger(number: int) -> Address:
    """Return one of the addresses that an attacker has."""
    return Address(str(_HOSTILE + number))


def draw_addresses(draws: random.Random, regions: Sequence[str]) -> list[Address]:
    """Return where each person asks from; ``regions`` are where they live."""
    addresses: list[Address | None] = [None] * len(regions)
    fresh = _fresh()
    for region in CGNAT_REGIONS:
        free = [
            place
            for place, it in enumerate(regions)
            if it == region and addresses[place] is None
        ]
        # Only where it is one carrier of several.
        if len(free) >= 3 * CGNAT_PEOPLE:
            shared = next(fresh)
            for place in draws.sample(free, CGNAT_PEOPLE):
                addresses[place] = shared
    kinds = draws.choices(
        [*_SHARES], [share for share, _ in _SHARES.values()], k=len(regions)
    )
    for region in dict.fromkeys(regions):
        for kind, (_, people) in _SHARES.items():
            _share_out(
                [
                    place
                    for place, it in enumerate(regions)
                    if it == region and kinds[place] == kind and not addresses[place]
                ],
                addresses,
                sizes=lambda people=people: draws.randint(*people),  # type: ignore[misc]
                fresh=_handsets(region) if kind == "handset" else fresh,
                draws=draws,
            )
    return [it for it in addresses if it]


def _share_out(
    places: list[int],
    addresses: list[Address | None],
    *,
    sizes: Callable[[], int],
    fresh: Iterator[Address],
    draws: random.Random,
) -> None:
    draws.shuffle(places)
    while places:
        shared = next(fresh)
        for place in [places.pop() for _ in range(min(sizes(), len(places)))]:
            addresses[place] = shared


def _fresh() -> Iterator[Address]:
    number = 0
    while True:
        yield Address(str(_HONEST + number))
        number += 1


def _handsets(region: str) -> Iterator[Address]:
    """Yield a /64 for each, many of them in one /48 of their carrier."""
    carrier = f"{ord(region[0]):x}{ord(region[1]):x}"
    number = 0
    while True:
        site, place = divmod(number, _HANDSETS_PER_48)
        wider = f"2a00:{carrier}:{site:x}"
        yield Address(f"{wider}:{place:x}::/64", f"{wider}::/48")
        number += 1
