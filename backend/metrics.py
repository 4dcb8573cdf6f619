"""Everything we count, under names and labels that stay."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from backend.abuse_metrics import AbuseMetrics
from backend.identity_metrics import IdentityMetrics
from services import events, routing_events

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REDIS_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)

_RECEIPT_SECONDS = (0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300)

_BREAKER_LEVELS = {"closed": 0, "half_open": 1, "open": 2}


@dataclass(frozen=True, slots=True)
class RequestServed:
    """One HTTP request was answered. ``route`` is the rule: a path may hold a phone."""

    method: str
    route: str
    status: int
    seconds: float


class Children(dict[tuple[object, ...], Any]):
    """A metric's children by their labels, each bound once.

    Looking a child up through the library costs five times what counting does.
    """

    def __init__(self, metric: MetricWrapperBase) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[object, ...]) -> Any:
        child = self[labels] = self._metric.labels(*labels) if labels else self._metric
        return child


class Metrics:
    """Counts events; all workers' figures come out of any of them."""

    def __init__(self) -> None:
        """Register in a registry of its own, so that two apps can live together."""
        self.registry = CollectorRegistry()
        self._requests = self._counter(
            "http_requests", "Requests answered.", "method", "route", "status"
        )
        self._request_seconds = self._histogram(
            "http_request_seconds", "Time to answer.", _SECONDS, "route"
        )
        self._sends = self._counter(
            "otp_sends", "Codes sent, or not, and by whom.", "provider", "outcome"
        )
        self._checks = self._counter(
            "otp_checks", "Codes checked.", "purpose", "outcome"
        )
        self._refusals = self._counter(
            "limit_refusals", "Requests refused by a limit.", "limit", "action"
        )
        self._provider_calls = self._counter(
            "sms_provider_calls",
            "Calls to SMS vendors.",
            "provider",
            "country",
            "outcome",
        )
        self._provider_seconds = self._histogram(
            "sms_provider_seconds",
            "Time a vendor took to answer.",
            _SECONDS,
            "provider",
        )
        self._redis_seconds = self._histogram(
            "redis_seconds",
            "Time a round trip to Redis took.",
            _REDIS_SECONDS,
            "script",
            "outcome",
        )
        self._breaker = Children(
            Gauge(
                "sms_breaker_state",
                "0 closed, 1 half open, 2 open; the worst of the workers.",
                ["provider", "country"],
                multiprocess_mode="livemax",
                registry=self.registry,
            )
        )
        self._receipts = self._counter(
            "sms_receipts",
            "What vendors said of their messages, and whether it was news.",
            "provider",
            "status",
            "outcome",
        )
        self._receipt_seconds = self._histogram(
            "sms_receipt_seconds",
            "Time from a vendor's yes to its receipt.",
            _RECEIPT_SECONDS,
            "provider",
            "status",
        )
        self._follow_ups = self._counter(
            "sms_follow_ups",
            "Messages sent because another did not arrive.",
            "after",
            "provider",
            "reason",
        )
        self._reports = self._counter(
            "sms_conversion_reports",
            "Reports to vendors that a code was typed, or was not.",
            "provider",
            "outcome",
        )
        self._background = self._counter(
            "background_failures",
            "What was to be done after an answer and was not.",
            "queue",
            "error",
        )
        # Every worker is told of every change within seconds: the last word counts.
        self._weight = self._gauge(
            "sms_vendor_weight",
            "The chance, in percent, that a pick of the vendor is kept.",
            "provider",
            "channel",
            "country",
        )
        self._weight_changes = self._counter(
            "sms_vendor_weight_changes",
            "Steps of a vendor's weight.",
            "provider",
            "channel",
            "country",
            "reason",
        )
        self._outcomes = self._counter(
            "sms_outcomes",
            "Messages a minute after their send: judged, and of these delivered; first"
            " attempts tried, and of these converted (the code was typed).",
            "provider",
            "channel",
            "country",
            "outcome",
        )
        self._choices = self._counter(
            "sms_routes_chosen",
            "Vendors that adaptive routing chose; obeyed or not, to learn or not.",
            "provider",
            "channel",
            "country",
            "explored",
            "obeyed",
        )

        self._takers: dict[type, Callable[[Any], None]] = {
            RequestServed: self._request_served,
            events.ScriptRan: self._script_ran,
            events.ProviderCalled: self._provider_called,
            events.VerificationStarted: self._verification_started,
            events.DeliveryFailed: self._delivery_failed,
            events.CodeChecked: self._code_checked,
            events.LimitReached: self._limit_reached,
            events.BreakerChanged: self._breaker_changed,
            events.ReceiptTaken: self._receipt_taken,
            events.MessageFollowed: self._message_followed,
            events.ConversionReported: self._conversion_reported,
            events.BackgroundFailed: self._background_failed,
            routing_events.VendorWeightChanged: self._vendor_weight_changed,
            routing_events.VendorMeasured: self._vendor_measured,
            routing_events.RouteChosen: self._route_chosen,
            **IdentityMetrics(self._counter).takers,
            **AbuseMetrics(self._counter, self._gauge).takers,
        }

    def count(self, event: events.Event | RequestServed) -> None:
        """Take one event into account."""
        self._takers[type(event)](event)

    def _script_ran(self, event: events.ScriptRan) -> None:
        self._redis_seconds[event.script, event.outcome].observe(event.seconds)

    def _request_served(self, event: RequestServed) -> None:
        self._requests[event.method, event.route, event.status].inc()
        self._request_seconds[event.route,].observe(event.seconds)

    def _provider_called(self, event: events.ProviderCalled) -> None:
        self._provider_calls[event.provider, event.country, event.outcome].inc()
        self._provider_seconds[event.provider,].observe(event.seconds)

    def _verification_started(self, event: events.VerificationStarted) -> None:
        self._sends[event.provider, "accepted"].inc()

    def _delivery_failed(self, event: events.DeliveryFailed) -> None:
        self._sends["none", event.reason].inc()

    def _code_checked(self, event: events.CodeChecked) -> None:
        self._checks[event.purpose, event.outcome].inc()

    def _limit_reached(self, event: events.LimitReached) -> None:
        self._refusals[event.limit, event.action].inc()

    def _breaker_changed(self, event: events.BreakerChanged) -> None:
        level = _BREAKER_LEVELS[event.state]
        self._breaker[event.provider, event.country].set(level)

    def _receipt_taken(self, event: events.ReceiptTaken) -> None:
        self._receipts[event.provider, event.status, event.outcome].inc()
        if event.outcome == "moved":
            self._receipt_seconds[event.provider, event.status].observe(event.seconds)

    def _message_followed(self, event: events.MessageFollowed) -> None:
        self._follow_ups[event.after, event.provider, event.reason].inc()

    def _conversion_reported(self, event: events.ConversionReported) -> None:
        self._reports[event.provider, event.outcome].inc()

    def _background_failed(self, event: events.BackgroundFailed) -> None:
        self._background[event.queue, event.error].inc()

    def _vendor_weight_changed(self, event: routing_events.VendorWeightChanged) -> None:
        route = event.provider, event.channel, event.country
        self._weight_changes[*route, event.reason].inc()

    def _vendor_measured(self, event: routing_events.VendorMeasured) -> None:
        route = event.provider, event.channel, event.country
        self._weight[route].set(event.weight)
        for outcome in ("judged", "delivered", "tries", "converted"):
            self._outcomes[*route, outcome].inc(getattr(event, outcome))

    def _route_chosen(self, event: routing_events.RouteChosen) -> None:
        route = event.provider, event.channel, event.country
        flags = [str(flag).lower() for flag in (event.explored, event.obeyed)]
        self._choices[*route, *flags].inc()

    def render(self) -> bytes:
        """Return the metrics in Prometheus's text format, of all workers together."""
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not directory:
            return generate_latest(self.registry)
        _forget_dead_workers(Path(directory))
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
        return generate_latest(gathered)

    def _counter(self, name: str, meaning: str, *labels: str) -> Children:
        return Children(Counter(name, meaning, labels, registry=self.registry))

    def _gauge(self, name: str, meaning: str, *labels: str) -> Children:
        """Make a gauge that shows the latest word of any worker."""
        return Children(
            Gauge(
                name,
                meaning,
                labels,
                multiprocess_mode="mostrecent",
                registry=self.registry,
            )
        )

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Children:
        return Children(
            Histogram(name, meaning, labels, buckets=buckets, registry=self.registry)
        )


def _forget_dead_workers(directory: Path) -> None:
    """Drop live gauges of workers that were replaced: they would count for ever."""
    for path in directory.glob("gauge_live*_*.db"):
        pid = int(path.stem.rsplit("_", 1)[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
        except PermissionError:
            continue
