"""Delivery receipts: planned when a text is accepted, posted when their time comes."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulator.calling import NoAnswer, call, check_url
from tests.simulator.delivery import Step, Timing, plan_steps
from tests.simulator.inbox import CAPACITY, Code, Message
from tests.simulator.rules import Rule
from tests.simulator.vendor import ReceiptCall, State, Vendor

_RETRY_AFTER_SECONDS = 0.1
_SERVER_ERROR = 500
# More connections at once would only fill the callee's backlog.
_MAX_CONNECTIONS = 100


class ReceiptRefused(ValueError):
    """There is no such receipt, or nowhere to send it."""


@dataclass(frozen=True, slots=True)
class SentReceipt:
    """One receipt that was posted, and what came back.

    ``http_status`` is the last answer's, None where there was none; ``error`` says
    why. A receipt is sent twice where nothing or a server's error came back.
    ``sent_at`` is in Unix seconds, of the last attempt.
    """

    message_id: str
    provider: str
    state: State
    code: Code | None
    url: str
    http_status: int | None
    error: str | None
    attempts: int
    sent_at: float


class Receipts:
    """Posts receipts to whoever asked for them.

    What posts runs in the loop that serves. The receipts of one text are posted one
    after the other, so that their order is the rules' to decide, and no accident.
    """

    def __init__(
        self, vendors: Iterable[Vendor], *, urls: Mapping[str, str], timing: Timing
    ) -> None:
        """Send to the URL that a send names, else to the one here for its vendor.

        Raises:
            ValueError: there is no such vendor, or the URL cannot be called.
        """
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._timing = timing
        self._first_urls = urls
        self._urls: dict[str, str] = {}
        self.reset_urls()
        self._sent: deque[SentReceipt] = deque(maxlen=CAPACITY)
        self._tasks: set[asyncio.Task[None]] = set()
        # Guards both, which belong to the server's thread and to the tests'.
        self._changed = threading.Condition()
        self.start()

    def start(self) -> None:
        """Begin anew, in another loop than before."""
        self._connections = asyncio.Semaphore(_MAX_CONNECTIONS)

    @property
    def urls(self) -> Mapping[str, str]:
        """Where receipts go that no send names a URL for, by vendor."""
        return self._urls

    def set_url(self, provider: str, url: str | None) -> None:
        """Do what is done in a vendor's dashboard; None sends no more.

        Raises:
            ValueError: there is no such vendor, or the URL cannot be called.
        """
        if provider not in self._vendors:
            known = ", ".join(self._vendors)
            message = f"provider: one of {known}"
            raise ValueError(message)
        if url is None:
            self._urls.pop(provider, None)
            return
        check_url(url)
        self._urls[provider] = url

    def reset_urls(self) -> None:
        """Send to the URLs of the beginning."""
        self._urls.clear()
        for provider, url in self._first_urls.items():
            self.set_url(provider, url)

    def plan(self, message: Message, rule: Rule | None, answered_after: float) -> None:
        """Send what ``rule`` makes of an accepted text's receipts, if any are wanted.

        ``answered_after`` seconds the vendor answers, and their time begins.
        """
        if not self._urls and message.receipts_url is None:
            return
        url = self._url_for(message)
        steps = plan_steps(rule, self._timing)
        if url is not None and steps:
            later = (it._replace(after_seconds=it[2] + answered_after) for it in steps)
            self._begin(self._post_all(message, [*later], url))

    def plan_one(
        self, message: Message, state: State, code: Code | None, *, doubled: bool
    ) -> int:
        """Send a receipt at once, and return how often.

        Raises:
            ReceiptRefused: the vendor has no such receipt, or there is no URL.
        """
        steps, url = self._by_hand(message, state, code, doubled=doubled)
        self._begin(self._post_all(message, steps, url))
        return len(steps)

    async def send(
        self, message: Message, state: State, code: Code | None, *, doubled: bool
    ) -> list[SentReceipt]:
        """Send a receipt at once, and return what came back.

        Raises:
            ReceiptRefused: the vendor has no such receipt, or there is no URL.
        """
        steps, url = self._by_hand(message, state, code, doubled=doubled)
        posted = [await self._post(message, step, url) for step in steps]
        return [receipt for receipt in posted if receipt is not None]

    def find(
        self, *, message_id: str | None = None, provider: str | None = None
    ) -> list[SentReceipt]:
        """List what was posted, oldest first: of a message, of a provider, or all."""
        with self._changed:
            return [
                it
                for it in self._sent
                if message_id in {None, it.message_id}
                and provider in {None, it.provider}
            ]

    def wait(self, timeout_seconds: float) -> None:
        """Return when no receipt is still to come; not in the loop's thread.

        Raises:
            TimeoutError: one is, after ``timeout_seconds``.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._tasks, timeout_seconds):
                raise TimeoutError("receipts are still to come")

    def clear(self) -> None:
        """Forget what was posted, and post nothing that is still to come."""
        with self._changed:
            self._sent.clear()
            for task in self._tasks:
                task.get_loop().call_soon_threadsafe(task.cancel)

    def _url_for(self, message: Message) -> str | None:
        return message.receipts_url or self._urls.get(message.provider)

    def _by_hand(
        self, message: Message, state: State, code: Code | None, *, doubled: bool
    ) -> tuple[list[Step], str]:
        vendor = self._vendors[message.provider]
        url = self._url_for(message)
        if url is None:
            raise ReceiptRefused(f"no URL is known for {vendor.name}'s receipts")
        if code is not None and (
            state != "undelivered" or code not in vendor.receipt_codes
        ):
            raise ReceiptRefused(f"{vendor.name} has no receipt {state} with that code")
        if vendor.receipt(message, state, code, url) is None:
            raise ReceiptRefused(f"{vendor.name} has no receipt {state}")
        return [Step(state, code, 0.0)] * (2 if doubled else 1), url

    def _begin(self, posting: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(posting)
        with self._changed:
            self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        with self._changed:
            self._tasks.discard(task)
            self._changed.notify_all()

    async def _post_all(
        self, message: Message, steps: Sequence[Step], url: str
    ) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for step in steps:
            await asyncio.sleep(began + step.after_seconds - loop.time())
            await self._post(message, step, url)

    async def _post(self, message: Message, step: Step, url: str) -> SentReceipt | None:
        receipt = self._vendors[message.provider].receipt(
            message, step.state, step.code, url
        )
        if receipt is None:
            return None
        attempts = 1
        status, error = await self._try(receipt)
        if status is None or status >= _SERVER_ERROR:
            await asyncio.sleep(_RETRY_AFTER_SECONDS)
            attempts = 2
            status, error = await self._try(receipt)
        posted = SentReceipt(
            message_id=message.id or "",
            provider=message.provider,
            state=step.state,
            code=step.code,
            url=url,
            http_status=status,
            error=error,
            attempts=attempts,
            sent_at=time.time(),
        )
        with self._changed:
            self._sent.append(posted)
        return posted

    async def _try(self, receipt: ReceiptCall) -> tuple[int | None, str | None]:
        try:
            async with self._connections:
                return await call(receipt), None
        except NoAnswer as failure:
            return None, str(failure)
