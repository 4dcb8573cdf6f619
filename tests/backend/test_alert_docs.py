"""docs/alerts.md: its metrics exist, its events are told, its example checks alerts."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from backend.metrics import Metrics
from backend.telemetry import _NAMES
from services.abuse_events import AbuseEvent, AbuseMeasured
from services.standard_webhooks import read_secret, sign_headers
from utils.clock import SystemClock

TEXT = (Path(__file__).parents[2] / "docs/alerts.md").read_text(encoding="utf-8")

# What the standard's own libraries test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}

IsGenuine = Callable[[str, Mapping[str, str], bytes], bool]


def names_of(heading: str) -> set[str]:
    """Return what stands in ticks in the first column below a heading."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", section, flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def metrics_with_labels() -> dict[str, set[str]]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: set(
            child._metric._labelnames
        )
        for taker in _children()
        for child in [taker]
        for family in child._metric.collect()
    }


def _children() -> list[Any]:
    metrics = Metrics()
    abuse = metrics._takers[AbuseMeasured].__self__  # type: ignore[attr-defined]
    found = [*vars(metrics).values(), *vars(abuse).values()]
    return [it for it in found if hasattr(it, "_metric")]


def example(now: float) -> IsGenuine:
    """Return the function of the docs, at another time."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is our own, and runs as readers run it

    class Time:
        time = staticmethod(lambda: now)

    names["time"] = Time
    is_genuine: IsGenuine = names["is_genuine"]
    return is_genuine


def test_every_event_of_abuse_is_told() -> None:
    told = {_NAMES[kind] for kind in set(get_args(AbuseEvent)) - {AbuseMeasured}}

    assert names_of("Events") - {"event"} == told | {"limit_reached"}


def test_every_metric_of_the_tables_has_these_labels() -> None:
    known = metrics_with_labels()
    section = TEXT.split("\n## Metrics\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|([^|]*)\|", section, flags=re.MULTILINE)

    assert len(rows) == 14
    for names, labels in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert known[name] == set(re.findall(r"`(\w+)`", labels)), name


def test_the_rules_ask_for_metrics_and_labels_that_exist() -> None:
    known = metrics_with_labels()
    expressions = re.findall(r"^ +expr: (.*)$", TEXT, flags=re.MULTILINE)

    assert len(expressions) == 9
    for expression in expressions:
        asked = re.findall(r"\b([a-z]+(?:_[a-z]+)+)(?:\{([^}]*)\})?", expression)
        names = [(name, labels) for name, labels in asked if name in known]
        assert names, expression
        for name, labels in names:
            assert set(re.findall(r"(\w+)=", labels)) <= known[name], expression
        # Whatever else has an underscore is a misspelt metric.
        spelt = re.sub(r"\{[^}]*\}", "", expression)
        assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", spelt)) <= set(known)


def test_the_example_believes_the_standards_own_message() -> None:
    assert example(1614265330.0)(SECRET, VECTOR, BODY)


@pytest.mark.parametrize(
    ("changed", "body", "later"),
    [
        ({"webhook-id": "msg_other"}, BODY, 0),
        ({"webhook-timestamp": "1614265331"}, BODY, 0),
        ({"webhook-signature": "v1,AAAA"}, BODY, 0),
        ({}, BODY + b" ", 0),
        ({}, BODY, 301),
    ],
    ids=["id", "time", "signature", "body", "late"],
)
def test_the_example_believes_no_other(
    changed: Mapping[str, str], body: bytes, later: int
) -> None:
    assert not example(1614265330.0 + later)(SECRET, {**VECTOR, **changed}, body)


def test_the_example_believes_what_we_send() -> None:
    now = SystemClock().now()
    headers = sign_headers(
        read_secret(SECRET), message_id="alert_1", now=now, body=b"{}"
    )

    assert example(now)(SECRET, headers, b"{}")
