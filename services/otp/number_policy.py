"""Which numbers are worth sending to: by country, by kind of number, by channel.

Whoever is not named is blocked: a country that is not in the policy, a channel that
a country or a kind does not name. Of what the country says and what the kind says the
stricter one counts.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from services.sms.provider import Channel
from services.sms.routes import CHANNELS
from utils.phone import MOBILE_KINDS, PhoneNumber

Treatment = Literal["allow", "challenge", "block"]
Treatments = Mapping[Channel, Treatment]
# Why a challenge is asked of every send to a number; empty where none is.
Wanted = Literal["", "country_policy", "number_type"]

_ALLOWED: Treatments = dict.fromkeys(CHANNELS, "allow")


# The channels on which a kind of number of a country is served.
_Served = Mapping[Channel, Wanted]


class NumberPolicy:
    """Says on which channels a number is served. Safe to share between threads."""

    def __init__(
        self,
        countries: Mapping[str, Treatments],
        kinds: Mapping[str, Treatments] | None = None,
    ) -> None:
        """Take what is said of each country (ISO 3166) and of each kind of number.

        Mobiles are allowed and every other kind is blocked where ``kinds`` is silent.
        """
        self._countries = dict(countries)
        self._kinds = {**dict.fromkeys(MOBILE_KINDS, _ALLOWED), **(kinds or {})}
        # One entry per country and kind, however many numbers there are.
        self._known: dict[tuple[str, str], _Served] = {}

    @classmethod
    def allowing(cls, countries: Iterable[str]) -> "NumberPolicy":
        """Allow the mobiles of some countries on every channel."""
        return cls(dict.fromkeys(countries, _ALLOWED))

    def serves(self, phone: PhoneNumber) -> bool:
        """Tell whether there is a channel on which a number is served."""
        return bool(self._served(phone))

    def open_to(
        self, phone: PhoneNumber, channels: Iterable[Channel]
    ) -> tuple[Channel, ...]:
        """Return those of ``channels`` on which a number is served, in their order."""
        served = self._served(phone)
        return tuple(it for it in channels if it in served)

    def wants_challenge(
        self, phone: PhoneNumber, channels: Collection[Channel]
    ) -> Wanted:
        """Say why whoever asks for a send by any of ``channels`` gets a challenge."""
        served = self._served(phone)
        wanted = {served.get(it, "") for it in channels}
        if "country_policy" in wanted:
            return "country_policy"
        return "number_type" if "number_type" in wanted else ""

    def _served(self, phone: PhoneNumber) -> _Served:
        key = (phone.region, phone.kind)
        served = self._known.get(key)
        if served is None:
            served = self._known[key] = self._judge(*key)
        return served

    def _judge(self, region: str, kind: str) -> _Served:
        country, by_kind = self._countries.get(region, {}), self._kinds.get(kind, {})
        served: dict[Channel, Wanted] = {}
        for channel in CHANNELS:
            both = country.get(channel, "block"), by_kind.get(channel, "block")
            if both[0] == "challenge" and both[1] != "block":
                served[channel] = "country_policy"
            elif "block" not in both:
                served[channel] = "number_type" if both[1] == "challenge" else ""
        return served
