"""Everything we count, under names and labels that stay."""

import os
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

from services import events

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REDIS_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)

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
        child = self[labels] = self._metric.labels(*labels)
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
        # Every worker is told of every change within seconds: the last word counts.
        self._weight = Children(
            Gauge(
                "sms_vendor_weight",
                "The chance, in percent, that a pick of the vendor is kept.",
                ["provider", "channel", "country"],
                multiprocess_mode="mostrecent",
                registry=self.registry,
            )
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

    def count(self, event: events.Event | RequestServed) -> None:
        """Take one event into account."""
        match event:
            case events.ScriptRan():
                self._redis_seconds[event.script, event.outcome].observe(event.seconds)
            case RequestServed():
                self._requests[event.method, event.route, event.status].inc()
                self._request_seconds[event.route,].observe(event.seconds)
            case events.ProviderCalled():
                labels = event.provider, event.country, event.outcome
                self._provider_calls[labels].inc()
                self._provider_seconds[event.provider,].observe(event.seconds)
            case events.VerificationStarted():
                self._sends[event.provider, "accepted"].inc()
            case events.CodeChecked():
                self._checks[event.purpose, event.outcome].inc()
            case events.LimitReached():
                self._refusals[event.limit, event.action].inc()
            case events.DeliveryFailed():
                self._sends["none", event.reason].inc()
            case events.BreakerChanged():
                level = _BREAKER_LEVELS[event.state]
                self._breaker[event.provider, event.country].set(level)
            case (
                events.VendorWeightChanged()
                | events.VendorMeasured()
                | events.RouteChosen()
            ):
                self._count_routing(event)

    def _count_routing(
        self,
        event: events.VendorWeightChanged | events.VendorMeasured | events.RouteChosen,
    ) -> None:
        route = event.provider, event.channel, event.country
        match event:
            case events.VendorWeightChanged():
                self._weight_changes[*route, event.reason].inc()
            case events.VendorMeasured():
                self._weight[route].set(event.weight)
                for outcome in ("judged", "delivered", "tries", "converted"):
                    self._outcomes[*route, outcome].inc(getattr(event, outcome))
            case events.RouteChosen():
                explored, obeyed = (
                    str(event.explored).lower(),
                    str(event.obeyed).lower(),
                )
                self._choices[*route, explored, obeyed].inc()

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
