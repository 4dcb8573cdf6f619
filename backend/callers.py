"""Who is calling: the network behind trusted proxies, and the storefront."""

from collections.abc import Collection, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from flask import Request

from services.abuse.asking import Caller

# The storefront of callers without an Origin: apps and other services.
DIRECT = "direct"

# One subscriber's share of IPv6: within it addresses are free to change. Many have
# more, and no more than this as a rule (RFC 6177).
_IPV6_PREFIX = 64
_IPV6_WIDER_PREFIX = 48

Network = IPv4Network | IPv6Network

# Where nobody on the Internet can be (RFC 6890, and RFC 6598 for carriers' own side).
_INNER = [
    ip_network(it)
    for it in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
        *("::/127", "fc00::/7", "fe80::/9", "ff00::/8"),
    )
]


class Callers:
    """Tells callers apart, trusting only what the operator's own proxies say."""

    def __init__(
        self,
        *,
        trusted_proxies: Sequence[Network] | int,
        origins: Collection[str],
    ) -> None:
        """``trusted_proxies`` may speak for others; ``origins`` are the storefronts.

        As a number they are the last so many hops, wherever they are: whoever asks must
        then not be able to come but by them.
        """
        self._hops = trusted_proxies if isinstance(trusted_proxies, int) else 0
        self._trusted = (
            () if isinstance(trusted_proxies, int) else tuple(trusted_proxies)
        )
        self._origins = frozenset(origins)

    def identify(self, request: Request) -> Caller:
        """Return who sent ``request``."""
        address = self.address_of(
            request.remote_addr or "", request.headers.get("X-Forwarded-For", "")
        )
        return Caller(
            network=_network(address),
            wider=_wider(address),
            storefront=self.storefront_of(request),
        )

    def storefront_of(self, request: Request) -> str:
        """Return the storefront whose page sent ``request``."""
        origin = request.headers.get("Origin", "")
        return origin if origin in self._origins else DIRECT

    def is_foreign(self, request: Request) -> bool:
        """Tell whether a page sent ``request`` that is none of a storefront's."""
        origin = request.headers.get("Origin")
        # With any origin (development) browsers send us no cookies from elsewhere.
        is_ours = origin is None or not self._origins.isdisjoint((origin, "*"))
        return not is_ours

    def on_behalf(
        self, request: Request, client_id: str, end_user_ip: str | None
    ) -> Caller:
        """Return a service client that asks for the person at ``end_user_ip``.

        Without that address its own counts. Each service has limits of its own: what
        it says of people costs nobody else's, and buys nothing beside its own.
        """
        if end_user_ip is None:
            own = self.identify(request)
            network, wider = own.network, own.wider
        else:
            network, wider = _network(end_user_ip), _wider(end_user_ip)
        return Caller(
            network=f"{client_id} {network}",
            wider=f"{client_id} {wider}" if wider else "",
            storefront=client_id,
            client=client_id,
        )

    def is_trusted(self, peer: str) -> bool:
        """Tell whether ``peer`` is one of the operator's own proxies."""
        if self._hops:
            return True
        address = _address(peer) if self._trusted else None
        return address is not None and any(address in it for it in self._trusted)

    def network_of(self, peer: str, forwarded_for: str) -> str:
        """Return the client's network: its IPv4 address or IPv6 /64."""
        return _network(self.address_of(peer, forwarded_for))

    def address_of(self, peer: str, forwarded_for: str) -> str:
        """Return the client's address.

        ``X-Forwarded-For`` is read from the right, and only as far as trusted proxies
        vouch for it; ``Forwarded``, ``X-Real-IP`` and the like are ignored.
        """
        client = peer
        hops = (
            [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
        )
        if self._hops:
            first = hops[-self._hops :][0] if len(hops) >= self._hops else ""
            return client if _address(first) is None else first
        while hops and self.is_trusted(client):
            hop = hops.pop()
            if _address(hop) is None:
                break
            client = hop
        return client


def is_public(text: str) -> bool:
    """Tell whether somebody on the Internet can be at an address."""
    address = _address(text)
    if address is None or (isinstance(address, IPv6Address) and address.scope_id):
        return False
    return not any(address in it for it in _INNER)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _network(text: str) -> str:
    address = _address(text)
    if isinstance(address, IPv6Address):
        return _around(address, _IPV6_PREFIX)
    return str(address) if address else "unknown"


def _wider(text: str) -> str:
    address = _address(text)
    if isinstance(address, IPv6Address):
        return _around(address, _IPV6_WIDER_PREFIX)
    return ""


def _around(address: IPv6Address, prefix: int) -> str:
    # Without its zone: a zone is the link it came by, not part of the address.
    plain = IPv6Address(int(address))
    return str(ip_network((plain, prefix), strict=False))
