"""Asks vendors one after another, and holds their answers for or against them."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from services.events import Emit, ProviderCalled
from services.sms.breakers import Breakers
from services.sms.outgoing import Delivery, NotDelivered
from services.sms.provider import (
    Accepted,
    Ambiguous,
    Message,
    Provider,
    ProviderFailure,
    Reason,
    Refused,
    Scope,
    Unavailable,
)
from services.sms.transport import MINIMUM_SECONDS, NOT_ASKED
from utils.clock import Clock


class VendorCalls:
    """What every message has in common, whatever it says. Safe to share."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        breakers: Breakers,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._providers = providers
        self._breakers = breakers
        self._clock = clock
        self._emit = emit

    def first_that_takes(
        self,
        order: Sequence[str],
        region: str,
        ask: Callable[[Provider], Delivery],
        *,
        deadline: float,
    ) -> Delivery:
        """Ask the first of ``order``, and the others as long as it fails.

        No vendor is asked twice, because it may have sent what it did not confirm.

        Raises:
            Refused: the phone or fraud; the others were not asked and must not be.
            NotDelivered: none took it.
        """
        reason: Reason | None = None
        of_message = False
        failed: list[str] = []
        billed: list[str] = []  # Who may have sent it, and will send a bill if so.
        for provider in self._in_order(order, region):
            if deadline - self._clock.monotonic() < MINIMUM_SECONDS:
                break
            if not self._breakers.allow(provider.name, region):
                failed.append(f"{provider.name} left_alone")
                continue
            try:
                taken = ask(provider)
            except Refused as refusal:
                refusal.may_have_left = bool(billed)
                refusal.failed = (*failed, _told(provider, refusal))
                refusal.billed = tuple(billed)
                raise
            except (Unavailable, Ambiguous) as failure:
                failed.append(_told(provider, failure))
                reason = failure.reason
                billed += [provider.name] if failure.may_have_left else []
                of_message = of_message or _is_of_message(failure)
            else:
                billed.append(provider.name)
                return replace(taken, failed=tuple(failed), billed=tuple(billed))
        raise NotDelivered(
            reason=reason,
            may_have_left=bool(billed),
            of_message=of_message,
            retry_after_seconds=self._retry_after(order, region),
            failed=tuple(failed),
            billed=tuple(billed),
        )

    def hand_over(
        self, provider: Provider, message: Message, deadline: float
    ) -> tuple[Accepted, float]:
        """Ask one vendor, and hold its answer for or against it; count the seconds."""
        name, region = provider.name, message.phone.region
        started = self._clock.monotonic()
        try:
            accepted = _ask(provider, message, deadline)
        except ProviderFailure as failure:
            self._tell(name, region, failure.reason, started, failure.vendor_code)
            self._breakers.blame(name, region, failure, allotted=deadline - started)
            raise
        seconds = self._tell(name, region, "accepted", started)
        self._breakers.success(name, region)
        return accepted, seconds

    def _in_order(self, order: Sequence[str], region: str) -> Iterator[Provider]:
        """Go through the providers: the first as it is, then those that may be asked.

        Asked anew each time, because breakers open while a send is under way.
        """
        if not order:
            return
        yield self._providers[order[0]]
        rest = sorted(order[1:], key=lambda it: self._breakers.retry_in(it, region) > 0)
        for name in rest:
            yield self._providers[name]

    def _retry_after(self, names: Sequence[str], region: str) -> int:
        """Return the seconds until one of them may be asked, at least 1."""
        waits = [self._breakers.retry_in(name, region) for name in names]
        return max(1, math.ceil(min(waits, default=1.0)))

    def _tell(
        self,
        name: str,
        region: str,
        outcome: str,
        started: float,
        vendor_code: str = "",
    ) -> float:
        seconds = self._clock.monotonic() - started
        self._emit(
            ProviderCalled(
                provider=name,
                country=region,
                outcome=outcome,
                vendor_code=vendor_code,
                seconds=seconds,
            )
        )
        return seconds


def _ask(provider: Provider, message: Message, deadline: float) -> Accepted:
    """Have a provider send; whatever it trips over, the message may have left."""
    try:
        return provider.send(message, deadline)
    except ProviderFailure:
        raise
    except Exception as error:  # noqa: BLE001 - an answer that nobody thought of
        kind = type(error).__name__
    # Outside the except clause: that error may hold the number and the code.
    raise Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, kind)


def _is_of_message(failure: ProviderFailure) -> bool:
    """Tell whether a vendor answered, and found fault with what it was asked to do."""
    return failure.scope is not Scope.PROVIDER and failure.vendor_code != NOT_ASKED


def _told(provider: Provider, failure: ProviderFailure) -> str:
    """Say who did not take a message and why, as an event says it."""
    return f"{provider.name} {failure.reason} {failure.vendor_code}".rstrip()
