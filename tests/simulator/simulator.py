"""Run the simulator inside a test process."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple, Self

from tests.simulator.aws import Aws
from tests.simulator.delivery import Timing
from tests.simulator.fast2sms import Fast2Sms
from tests.simulator.inbox import Code, Message
from tests.simulator.infobip import Infobip
from tests.simulator.messagebird import MessageBird
from tests.simulator.msg91 import Msg91
from tests.simulator.plivo import Plivo
from tests.simulator.receipts import ReceiptRefused, SentReceipt
from tests.simulator.rules import Action, Rule
from tests.simulator.server import Connection, Reply
from tests.simulator.switchboard import Switchboard
from tests.simulator.twilio import Twilio
from tests.simulator.twilio_verify import TwilioVerify
from tests.simulator.twilio_voice import TwilioVoice
from tests.simulator.vendor import State, Vendor
from tests.simulator.vonage import Vonage
from tests.simulator.webhook import Webhook
from tests.simulator.whatsapp import WhatsApp
from tests.simulator.wire import Request

DEFAULT_ACCOUNT_SID = "AC" + "0" * 32
DEFAULT_AUTH_TOKEN = "simulator-token"
DEFAULT_FAST2SMS_KEY = "simulator-key"

_BACKLOG = 2048


class _Service(NamedTuple):
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    port: int


class Simulator:
    """The vendors on a local port, served by a thread of their own.

    Use it as a context manager. Its methods may be called from any thread, before,
    while and after it serves.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        account_sid: str = DEFAULT_ACCOUNT_SID,
        auth_token: str = DEFAULT_AUTH_TOKEN,
        fast2sms_key: str = DEFAULT_FAST2SMS_KEY,
        latency_seconds: float = 0.0,
        receipt_urls: Mapping[str, str] | None = None,
        timing: Timing | None = None,
        more_vendors: Sequence[Vendor] = (),
        seed: int = 0,
    ) -> None:
        """Set what is accepted; port 0 takes a free one.

        ``receipt_urls`` has, by vendor, where receipts go that no send names a URL
        for; ``timing`` says when. ``more_vendors`` stand beside the known ones.
        ``seed`` decides which sends a ``delivery_rate`` lets pass.

        Raises:
            ValueError: a receipt URL is no vendor's, or cannot be called.
        """
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.fast2sms_key = fast2sms_key
        self._host = host
        self._port = port
        self._switchboard = Switchboard(
            [
                Twilio(account_sid, auth_token),
                Fast2Sms(fast2sms_key),
                Msg91(),
                Vonage(),
                Plivo(),
                Infobip(),
                MessageBird(),
                Aws(),
                TwilioVerify(account_sid, auth_token),
                WhatsApp(),
                TwilioVoice(account_sid, auth_token),
                Webhook(),
                *more_vendors,
            ],
            latency_seconds,
            receipt_urls=receipt_urls or {},
            timing=timing or Timing(),
            seed=seed,
        )
        self._receipts = self._switchboard.receipts
        # Rules and messages belong to the server's thread and to the tests'.
        self._lock = threading.Lock()
        self._service: _Service | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end; known once started."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> None:
        """Serve, in a thread; returns when connections are taken.

        After ``close`` it starts again on the same port.

        Raises:
            OSError: the port is not free.
            OverflowError: there is no such port.
        """
        bound: Future[_Service] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(bound)),
            name="simulator",
            daemon=True,
        )
        thread.start()
        service = bound.result()
        self._port = service.port
        self._service, self._thread = service, thread

    def close(self) -> None:
        """Stop serving and cut every connection, also those kept waiting."""
        if self._service is None or self._thread is None:
            return
        self._service.loop.call_soon_threadsafe(self._service.stopping.set)
        self._thread.join()
        self._service = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def messages(
        self, *, to: str | None = None, provider: str | None = None
    ) -> list[Message]:
        """List what arrived, oldest first; ``to`` is in E.164."""
        with self._lock:
            return self._switchboard.inbox.find(to=to, provider=provider)

    def add_rule(
        self,
        action: Action,
        *,
        provider: str | None = None,
        to: str | None = None,
        to_prefix: str | None = None,
        every: int = 1,
        times: int | None = None,
        code: Code | None = None,
        status: int | None = None,
        seconds: float = 0.0,
        retry_after_seconds: int | None = None,
        location: str | None = None,
        delivery_rate: float | None = None,
    ) -> int:
        """Make some sends go wrong; ``Rule`` says what the fields mean.

        Returns the rule's id, which messages it was applied to carry.

        Raises:
            RuleRefused: a value, or a combination of fields, means nothing.
        """
        rule = Rule(
            action=action,
            provider=provider,
            to=to,
            to_prefix=to_prefix,
            every=every,
            times=times,
            code=code,
            status=status,
            seconds=seconds,
            retry_after_seconds=retry_after_seconds,
            location=location,
            delivery_rate=delivery_rate,
        )
        with self._lock:
            return self._switchboard.rules.add(rule).id

    def set_receipt_url(self, provider: str, url: str | None) -> None:
        """Say where a vendor's receipts go, as its dashboard would; None: nowhere.

        A URL that a send names wins.

        Raises:
            ValueError: there is no such vendor, or the URL cannot be called.
        """
        with self._lock:
            self._receipts.set_url(provider, url)

    def receipts(
        self, *, message_id: str | None = None, provider: str | None = None
    ) -> list[SentReceipt]:
        """List the receipts that were posted, oldest first, and what came back."""
        return self._receipts.find(message_id=message_id, provider=provider)

    def wait_for_receipts(self, timeout_seconds: float = 5.0) -> None:
        """Return when every receipt has been posted that is still to come.

        Raises:
            TimeoutError: one has not, after ``timeout_seconds``.
        """
        self._receipts.wait(timeout_seconds)

    def send_receipt(
        self,
        message_id: str,
        state: State,
        *,
        code: Code | None = None,
        doubled: bool = False,
    ) -> list[SentReceipt]:
        """Post a receipt at once, twice if ``doubled``, and return what came back.

        Raises:
            ReceiptRefused: there is no such message or receipt, no URL is known, or
                the simulator does not serve.
        """
        with self._lock:
            message = self._switchboard.inbox.find_by_id(message_id)
        if message is None or self._service is None:
            raise ReceiptRefused("no such message, or not serving")
        posting = self._receipts.send(message, state, code, doubled=doubled)
        return asyncio.run_coroutine_threadsafe(posting, self._service.loop).result()

    def clear(self) -> None:
        """Forget all rules, messages and receipts, also the receipts still to come.

        Receipt URLs are those of the beginning again.
        """
        with self._lock:
            self._switchboard.rules.clear()
            self._switchboard.inbox.clear()
            self._receipts.clear()
            self._receipts.reset_urls()

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            return self._switchboard.answer(request)

    async def _serve(self, bound: Future[_Service]) -> None:
        loop = asyncio.get_running_loop()
        self._receipts.start()
        transports: set[asyncio.Transport] = set()
        try:
            server = await loop.create_server(
                lambda: Connection(self._answer, transports),
                self._host,
                self._port,
                backlog=_BACKLOG,
            )
        except (OSError, OverflowError) as error:
            bound.set_exception(error)
            return
        stopping = asyncio.Event()
        port = server.sockets[0].getsockname()[1]
        bound.set_result(_Service(loop, stopping, port))
        await stopping.wait()
        server.close()
        for transport in transports.copy():
            transport.abort()
        # One turn of the loop, in which the sockets are really closed.
        await asyncio.sleep(0)
