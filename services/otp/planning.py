"""Which channels a message may take, and which vendors to ask on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.errors import ChannelNotAvailable, PhoneNotSupported
from services.otp.answers import NEXT_WHEN_GONE, UNKNOWN
from services.otp.number_policy import NumberPolicy, Wanted
from services.otp.records import Plan
from services.sms.provider import Channel
from services.sms.service import SmsService
from utils.phone import PhoneNumber

# Stands where a provider would, for test numbers: nothing is sent.
TEST = "test"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a message may go.

    ``channels`` are all on which the number is served; ``plans`` are for the store to
    choose from; ``orders`` name the vendors of every channel that the message may end
    up on, preferred ones first. ``wants_challenge`` says why whoever asks for it must
    solve a challenge first; empty where no policy asks for one.
    """

    channels: Sequence[Channel]
    plans: Sequence[Plan]
    orders: Mapping[Channel, Sequence[str]]
    wants_challenge: Wanted = ""


TEST_WAYS = Ways(("sms",), [Plan("sms", [(TEST, TEST, 1)])], {})


class Planner:
    """Plans sends. Safe to share between threads."""

    def __init__(
        self, sms: SmsService, *, policy: NumberPolicy, whatsapp_first: bool
    ) -> None:
        """``whatsapp_first``: use it where nobody asks for a channel."""
        self._sms = sms
        self._policy = policy
        self._whatsapp_first = whatsapp_first

    def channels(self, phone: PhoneNumber) -> Sequence[Channel]:
        """Name the channels on which a phone is served.

        Raises:
            PhoneNotSupported: there are none.
        """
        channels = self._channels(phone)
        if not channels:
            raise PhoneNotSupported
        return channels

    def ways(self, phone: PhoneNumber, wanted: Channel | None) -> Ways:
        """Plan a message on the channel that was asked for, or on the usual one.

        Raises:
            PhoneNotSupported: nobody serves this phone.
            ChannelNotAvailable: nobody does on this channel, or the policy blocks it.
        """
        channels = self.channels(phone)
        if wanted is not None and wanted not in channels:
            turns = dict.fromkeys(channels, UNKNOWN)
            raise ChannelNotAvailable(next_step=replace(NEXT_WHEN_GONE, **turns))
        planned: list[Channel] = [wanted or channels[0]]
        if wanted is None and self._whatsapp_first and "whatsapp" in channels:
            planned = list(dict.fromkeys(["whatsapp", *planned]))
        possible = list(planned)
        if "whatsapp" in planned and "sms" in channels:
            possible.append("sms")  # What WhatsApp cannot deliver, SMS may.
        orders = self._orders(phone, possible)
        return Ways(
            channels,
            self._plans(phone, planned, orders),
            orders,
            self._policy.wants_challenge(phone, possible),
        )

    def ways_on(self, phone: PhoneNumber, channel: Channel) -> Ways:
        """Plan a message on one channel and no other, which may lead nowhere."""
        channels = self._channels(phone)
        orders: Mapping[Channel, Sequence[str]] = {channel: ()}
        if channel in channels:
            orders = self._orders(phone, [channel])
        return Ways(channels, self._plans(phone, [channel], orders), orders)

    def _channels(self, phone: PhoneNumber) -> Sequence[Channel]:
        return self._policy.open_to(phone, self._sms.channels(phone))

    def _orders(
        self, phone: PhoneNumber, channels: Sequence[Channel]
    ) -> dict[Channel, Sequence[str]]:
        found: dict[Channel, Sequence[str]] = {}
        for channel in channels:
            if channel not in found:
                found[channel] = self._sms.candidates(channel, phone)
        return found

    def _plans(
        self,
        phone: PhoneNumber,
        channels: Sequence[Channel],
        orders: Mapping[Channel, Sequence[str]],
    ) -> list[Plan]:
        return [
            Plan(
                channel,
                [
                    (name, self._sms.status_of(name), self._sms.senders_of(name, phone))
                    for name in orders[channel]
                ],
            )
            for channel in channels
        ]
