"""Opens the alerts: where they are posted, and what they are signed with."""

from collections.abc import Mapping

from backend.composition.chores import Chores
from backend.composition.vendors import OpenTransport
from config.config import Settings
from services.alerts import Alerts, NoAnswer
from services.events import Emit
from services.sms.provider import ProviderFailure
from services.sms.transport import Body, Transport
from services.standard_webhooks import read_secret
from utils.clock import Clock

# Sooner than anybody could act on it.
_ROUND_SECONDS = 1.0

# To connect (2) and to answer (5), as the transport has it.
_POST_SECONDS = 7.0

# Ten in an hour are no person who cannot type. Workers count apart, of the same attack
# each its share.
_DISABLED_PHONES = 10


class WebhookReceiver:
    """Posts alerts to one URL, by the connections that vendors are called with."""

    def __init__(self, url: str, *, transport: Transport, clock: Clock) -> None:
        self._url = url
        self._transport = transport
        self._clock = clock

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Post an alert; see ``Receiver.post``."""
        deadline = self._clock.monotonic() + _POST_SECONDS
        content = Body(body, "application/json")
        try:
            reply = self._transport.post(
                self._url, content, headers=headers, deadline=deadline
            )
        except ProviderFailure:
            raise NoAnswer from None
        return reply.status


def open_alerts(
    settings: Settings,
    *,
    chores: Chores,
    open_transport: OpenTransport,
    clock: Clock,
    emit: Emit,
) -> Alerts:
    """Return the alerts; who tells them by ``.emit`` also tells ``emit``."""
    alerts = build_alerts(
        settings, open_transport=open_transport, clock=clock, emit=emit
    )
    if settings.alert_webhook_url:
        chores.add("alerts", alerts.deliver, seconds=_ROUND_SECONDS)
        chores.at_end(alerts.deliver)
    return alerts


def build_alerts(
    settings: Settings, *, open_transport: OpenTransport, clock: Clock, emit: Emit
) -> Alerts:
    """Return alerts that are posted when somebody has them delivered."""
    url, secret = settings.alert_webhook_url, settings.alert_webhook_secret
    receiver = (
        WebhookReceiver(url, transport=open_transport(url), clock=clock)
        if url
        else None
    )
    return Alerts(
        receiver,
        key=read_secret(secret.get_secret_value()) if secret else b"",
        disabled_phones=max(1, _DISABLED_PHONES // settings.workers),
        clock=clock,
        emit=emit,
    )
