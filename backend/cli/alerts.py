"""``alert-test``: whether the operator's webhook takes alerts."""

import argparse
from functools import partial

from backend.cli.commands import CommandError, Commands
from backend.composition.alerts import build_alerts
from config.config import Settings, SettingsError
from services.abuse_events import AlertSent
from services.events import Event
from services.sms.transport import HttpTransport
from utils.clock import SystemClock


def add_commands(commands: Commands) -> None:
    """Add the command of this module."""
    parser = commands.add_parser(
        "alert-test", help="post an alert to ALERT_WEBHOOK_URL that means nothing"
    )
    parser.set_defaults(command=_test)


def _test(settings: Settings, _: argparse.Namespace) -> str:
    """Say that the webhook took an alert.

    Raises:
        CommandError: it did not.
        SettingsError: there is none.
    """
    if not settings.alert_webhook_url:
        raise SettingsError(("ALERT_WEBHOOK_URL: missing; alerts go to the log alone",))
    told: list[Event] = []
    clock = SystemClock()
    alerts = build_alerts(
        settings,
        open_transport=partial(HttpTransport, clock=clock),
        clock=clock,
        emit=told.append,
    )
    alerts.try_out()
    if AlertSent("test", "sent") in told:
        return "The webhook took it."
    if AlertSent("test", "refused") in told:
        raise CommandError("The webhook refused it (4xx): does it know the secret?")
    raise CommandError("The webhook did not answer with 2xx, or not in time.")
