"""Where the operator is told at once, and what must be so that they are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic_settings import BaseSettings

from config import fields
from config.delivery_rules import Fault
from config.lists import is_safe_url

if TYPE_CHECKING:
    from config.config import Settings


class AlertSettings(BaseSettings):
    """The webhook that gets alerts; without a URL they are lines of the log."""

    # Many receivers know who sends by a path that nobody else knows.
    alert_webhook_url: fields.WebhookUrl | None = Field(default=None, repr=False)
    alert_webhook_secret: fields.WebhookSecret | None = None
    alert_webhook_allowed_hosts: fields.HostNames = ()


def find_alert_conflicts(settings: "Settings") -> Iterator[Fault]:
    """Yield what would keep alerts from coming, or from being believed."""
    url, secret = settings.alert_webhook_url, settings.alert_webhook_secret
    both = "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"
    if url and not secret:
        yield both[::-1], "missing; alerts are signed, or anybody could send some"
    if secret and not url:
        yield both, "missing; ALERT_WEBHOOK_SECRET means nothing without it"
    if settings.alert_webhook_allowed_hosts and not url:
        yield (
            ("ALERT_WEBHOOK_ALLOWED_HOSTS", "ALERT_WEBHOOK_URL"),
            "means nothing without ALERT_WEBHOOK_URL",
        )
    if settings.environment == "production" and url and not is_safe_url(url):
        yield ("ALERT_WEBHOOK_URL", "FLASK_ENV"), "must be https in production"
