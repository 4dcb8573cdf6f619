"""Turns what the scripts say has changed into events."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.abuse.bindings import Binding
from services.abuse.rules import MICROS
from services.abuse_events import ConversionJudged, MoneyReached
from services.events import Emit
from services.scripts import Reply, whole_seconds
from utils.phone import PhoneNumber


class Changes:
    """Tells what changed. Safe to share between threads."""

    def __init__(self, *, currency: str, emit: Emit) -> None:
        self._currency = currency
        self._emit = emit

    def tell(
        self, reply: Reply, bindings: Iterable[Binding], phone: PhoneNumber | None
    ) -> None:
        """Emit an event for each change in the answer of a script."""
        changes = reply.get("changes")
        if not changes:
            return
        by_name = {it.name: it for it in bindings}
        for change in changes:
            binding = by_name[change["rule"]]
            if change["kind"] == "money":
                self._emit(self._money(change, binding))
            else:
                self._emit(_conversion(change, binding, phone))

    def _money(self, change: Mapping[str, Any], binding: Binding) -> MoneyReached:
        return MoneyReached(
            rule=binding.name,
            subject=binding.subject,
            percent=change["percent"],
            cap=change["cap"] / MICROS,
            window_seconds=int(change["ms"]) // 1000,
            currency=self._currency,
            shadow=change["shadow"],
        )


def _conversion(
    change: Mapping[str, Any], binding: Binding, phone: PhoneNumber | None
) -> ConversionJudged:
    scope = binding.document["scope"]
    subject = binding.subject
    if scope == "prefix":
        subject += "****"
    region = phone.region if phone is not None else ""
    return ConversionJudged(
        scope=scope,
        subject=subject,
        country="" if scope == "caller" else region,
        state=change["state"],
        cause=change["cause"],
        sent=int(change["sent"]),
        typed=int(change["typed"]),
        seconds=whole_seconds(change["ms"]),
        shadow=change["shadow"],
    )
