"""Request ids, and what becomes of an event: one log line and one metric sample."""

import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

from flask import Flask
from structlog.typing import FilteringBoundLogger

from backend.callers import Callers
from backend.metrics import Metrics, RequestServed
from services import abuse_events, events, routing_events
from services.alert_words import alert_of

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# Long enough to be unique, and never digits alone: that could be a phone number.
_REQUEST_ID = re.compile(r"(?=[0-9-]*[A-Za-z])[A-Za-z0-9-]{16,64}", re.ASCII)
_REQUEST_ID_BYTES = 12

# The label's values must stay few.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Where an unexpected error arose: enough frames to find it.
_FRAMES = 8

# What an operator should look at; the rest is the ordinary course of things.
_WARNINGS = (
    events.DeliveryFailed,
    events.BackgroundFailed,
    events.BreakerChanged,
    routing_events.VendorWeightChanged,
    events.ScriptRan,
    events.SigningKeyChanged,
    events.AdminActed,
    abuse_events.PhoneWasDisabled,
)

ExcInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request that this thread is serving."""
    return _request_id.get()


class Telemetry:
    """Turns events into log lines and samples; its ``emit`` is what services call."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        """Write to ``log``."""
        self._log = log
        self.metrics = Metrics()

    def emit(self, event: events.Event | RequestServed) -> None:
        """Log and count one event."""
        self.metrics.count(event)
        if _is_ordinary(event):
            return
        write = getattr(self._log, _level(event))
        write(_NAMES[type(event)], request_id=_request_id.get(), **_fields(event))

    def watch(self, app: Flask, callers: Callers) -> None:
        """Give every request of ``app`` an id, and every answer an event.

        Done outside Flask, so that whatever answers is covered.
        """
        inner = app.wsgi_app

        def watched(
            environ: "WSGIEnvironment", start_response: "StartResponse"
        ) -> Iterable[bytes]:
            began = time.perf_counter()
            request_id = _choose_id(environ, callers)
            _request_id.set(request_id)
            status, route = 0, "none"

            def start(
                line: str,
                headers: list[tuple[str, str]],
                exc_info: Any = None,
            ) -> Callable[[bytes], object]:
                nonlocal status, route
                status, route = int(line[:3]), _route(environ)
                headers.append(("X-Request-Id", request_id))
                return start_response(line, headers, exc_info)

            body = inner(environ, start)
            method = environ["REQUEST_METHOD"]
            self.emit(
                RequestServed(
                    method=method if method in _METHODS else "other",
                    route=route,
                    status=status,
                    seconds=time.perf_counter() - began,
                )
            )
            return body

        app.wsgi_app = watched  # type: ignore[method-assign]
        app.log_exception = self._log_exception  # type: ignore[method-assign]

    def _log_exception(self, exc_info: ExcInfo) -> None:
        """Log where an unexpected error arose; its values may be secret."""
        kind, error, trace = exc_info
        frames = traceback.extract_tb(trace)[-_FRAMES:]
        self._log.error(
            "unexpected_error",
            request_id=_request_id.get(),
            error=kind.__name__ if kind else "",
            cause=type(error.__cause__).__name__ if error else "",
            where=[f"{it.filename}:{it.lineno} {it.name}" for it in frames],
        )


def _choose_id(environ: "WSGIEnvironment", callers: Callers) -> str:
    """Return a new id, or the caller's own where the caller is a proxy of ours."""
    offered = environ.get("HTTP_X_REQUEST_ID")
    if (
        offered
        and callers.is_trusted(environ.get("REMOTE_ADDR", ""))
        and _REQUEST_ID.fullmatch(offered)
    ):
        return str(offered)
    return secrets.token_hex(_REQUEST_ID_BYTES)


def _route(environ: "WSGIEnvironment") -> str:
    """Return the rule that matched; Flask leaves its request here while it answers."""
    request = environ.get("werkzeug.request")
    rule = request.url_rule if request else None
    return rule.rule if rule else "none"


def _is_ordinary(event: events.Event | RequestServed) -> bool:
    """Tell whether an event is too frequent and too plain for a line of its own."""
    match event:
        case events.ScriptRan() | events.ClientChecked():
            return event.outcome == "ok"
        case events.SessionRefreshed():
            return event.outcome == "rotated"
        case abuse_events.AlertSent():
            return event.outcome == "muted"
        case routing_events.VendorMeasured() | events.TokenIntrospected():
            return True
        case abuse_events.AbuseMeasured():
            return True
        case _:
            return False


def _level(event: events.Event | RequestServed) -> str:
    """Return the level of an event's line: that of its alert, if it is one."""
    match event:
        case RequestServed():
            return "info"
        case abuse_events.AlertSent():
            return "info" if event.outcome == "sent" else "warning"
        case abuse_events.PolicyFollowed():
            return "warning" if event.broken else "info"
    if alert := alert_of(event):
        return alert.level
    return "warning" if isinstance(event, _WARNINGS) else "info"


def _fields(event: events.Event | RequestServed) -> dict[str, object]:
    fields = {name: getattr(event, name) for name in event.__slots__}
    if "seconds" in fields:
        fields["seconds"] = round(fields["seconds"], 6)
    return fields


def _name(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_NAMES: dict[type[object], str] = {
    kind: _name(kind)
    for kind in (
        RequestServed,
        events.VerificationStarted,
        events.DeliveryFailed,
        events.ReceiptTaken,
        events.MessageFollowed,
        events.ConversionReported,
        events.BackgroundFailed,
        events.CodeChecked,
        events.LimitReached,
        events.ProviderCalled,
        events.BreakerChanged,
        routing_events.VendorWeightChanged,
        routing_events.RouteChosen,
        events.ScriptRan,
        events.NoticeSent,
        events.SessionOpened,
        events.SessionRefused,
        events.SessionRefreshed,
        events.SessionsEnded,
        events.PhoneChanged,
        events.ClientChecked,
        events.TokenIntrospected,
        events.SigningKeyChanged,
        events.AdminActed,
        abuse_events.SendShadowed,
        abuse_events.ChallengeAsked,
        abuse_events.ChallengeChecked,
        abuse_events.ConversionJudged,
        abuse_events.MoneyReached,
        abuse_events.GuessingChanged,
        abuse_events.PhoneWasDisabled,
        abuse_events.PolicyFollowed,
        abuse_events.AlertSent,
    )
}
