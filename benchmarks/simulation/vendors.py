"""The simulator's vendors behind transports without sockets, and their settings."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.network import Network
from benchmarks.simulation.people import Person
from benchmarks.simulation.world import COUNTRIES, VENDORS, World
from config.config import Settings, load_settings
from services.sms.provider import Ambiguous, Reason, Scope
from services.sms.transport import Body, Reply
from tests.simulator import infobip, plivo, vonage
from tests.simulator.inbox import Message
from tests.simulator.twilio import Twilio
from tests.simulator.vendor import ReceiptCall, State, Submission, Vendor
from tests.simulator.wire import Request, Response

# As HttpTransport has it.
_READ_SECONDS = 5.0

_ACCOUNT_SID = "AC" + "0" * 32
_AUTH_TOKEN = "simulation-twilio-token"
_SENDER = "+15005550006"
_CODE = re.compile(r"\b[0-9]{6}\b")

Routing = Literal["order", "priorities", "adaptive"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """How the service routes; ``shadow``: what adaptive would do is told as well."""

    routing: Routing
    shadow: bool = False


# Takes what a vendor of that name says of its messages.
TakeReceipt = Callable[[str, ReceiptCall], None]


def make_settings(world: World, strategy: Strategy, redis_url: str) -> Settings:
    """Return the settings of production, with the four vendors and their prices.

    Shared limits are off: people of one day of simulation have neighbouring numbers.
    """
    routes = "; ".join(
        f"{COUNTRIES[region].code}: {', '.join(order)}"
        for region, order in world.orders.items()
    )
    prices = "; ".join(
        f"{vendor} "
        + ", ".join(
            f"{it.code}: {world.lines[vendor, region].price}"
            for region, it in COUNTRIES.items()
        )
        for vendor in VENDORS
    )
    return load_settings(
        env_file=None,
        environ={
            "SECRET_KEY": "7sXo2mQp9vLw4kTz8bYc1nRf6hJd3gAe",
            "SUBJECT_KEY": "Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
            "REDIS_URL": redis_url,
            "TOKEN_ISSUER": "https://auth.shop.example",
            "PUBLIC_BASE_URL": "https://auth.shop.example",
            "ALLOWED_COUNTRIES": ", ".join(COUNTRIES),
            "ROUTING": strategy.routing,
            "ROUTING_SHADOW": "adaptive" if strategy.shadow else "off",
            "SMS_ROUTES": routes,
            "SMS_PRICES": prices,
            "SENDS_PER_IP": "off",
            "SENDS_PER_PREFIX": "off",
            "TWILIO_ACCOUNT_SID": _ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": _AUTH_TOKEN,
            "TWILIO_PHONE_NUMBER": _SENDER,
            "VONAGE_API_KEY": vonage.DEFAULT_API_KEY,
            "VONAGE_API_SECRET": vonage.DEFAULT_API_SECRET,
            "VONAGE_SIGNATURE_SECRET": vonage.DEFAULT_SIGNATURE_SECRET,
            "VONAGE_SENDER": _SENDER,
            "PLIVO_AUTH_ID": plivo.DEFAULT_AUTH_ID,
            "PLIVO_AUTH_TOKEN": plivo.DEFAULT_AUTH_TOKEN,
            "PLIVO_SENDER": _SENDER,
            "INFOBIP_API_KEY": infobip.DEFAULT_API_KEY,
            "INFOBIP_BASE_URL": "https://simulated.api.infobip.com",
            "INFOBIP_SENDER": _SENDER,
        },
    )


class Postbox:
    """All vendors: reads requests as they do, and answers in their words."""

    def __init__(
        self,
        world: World,
        agenda: Agenda,
        network: Network,
        take_receipt: TakeReceipt,
    ) -> None:
        self._world = world
        self._agenda = agenda
        self._network = network
        self._take_receipt = take_receipt
        self._vendors: tuple[Vendor, ...] = (
            Twilio(_ACCOUNT_SID, _AUTH_TOKEN),
            vonage.Vonage(),
            plivo.Plivo(),
            infobip.Infobip(),
        )

    def open_transport(self, base_url: str) -> "DirectTransport":
        """Return what stands where HTTP would."""
        return DirectTransport(base_url, self._post)

    def _post(self, request: Request, deadline: float) -> Response:
        """Answer a request, after as long as the vendor takes.

        Raises:
            Ambiguous: that was too long to wait.
        """
        vendor = next(it for it in self._vendors if it.serves(request.path))
        submission = vendor.receive(request)
        if isinstance(submission, Response):
            return submission  # A report on conversion, for which nobody waits.
        assert submission.accepted, f"{vendor.name} refused: {submission.code}"
        person = self._network.owner_of(submission.recipients[0])
        wait = self._network.answer_seconds(person, vendor.name)
        left = min(_READ_SECONDS, deadline - self._agenda.clock.monotonic())
        outage = self._world.outage(vendor.name, self._agenda.now)
        self._agenda.clock.advance(min(wait, left))
        if outage and outage.kind == "errors":
            return vendor.outage(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._accept(vendor, person, submission)
        if wait > left:
            raise Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, "timeout")
        return submission.response

    def _accept(self, vendor: Vendor, person: Person, submission: Submission) -> None:
        message = Message(
            id=submission.message_id,
            provider=vendor.name,
            to=person.phone,
            text=submission.text,
            params=submission.params,
            outcome="accepted",
            code=None,
            http_status=vendor.success_status,
            rule=None,
            received_at=self._agenda.clock.now(),
            receipts_url=submission.receipts_url,
        )
        code = _CODE.search(submission.text)
        assert code is not None
        tell = partial(self._tell, vendor, message)
        self._network.carry(person, vendor.name, code[0], tell)

    def _tell(
        self,
        vendor: Vendor,
        message: Message,
        state: State,
    ) -> None:
        assert message.receipts_url is not None, f"{vendor.name} was asked for none"
        call = vendor.receipt(message, state, None, message.receipts_url)
        assert call is not None
        self._take_receipt(vendor.name, call)


class DirectTransport:
    """A ``Transport`` that hands requests over in this process."""

    def __init__(
        self, base_url: str, post: Callable[[Request, float], Response]
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._post = post

    def post(
        self,
        path_or_url: str,
        body: Body,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        deadline: float,
    ) -> Reply:
        """Hand the request over as it would have gone out."""
        given = {name.lower(): value for name, value in (headers or {}).items()}
        given["content-type"] = body.content_type
        if auth is not None:
            given["authorization"] = _basic(*auth)
        url = urlsplit(path_or_url)
        request = Request(
            method="POST",
            path=url.path,
            query=url.query,
            headers=given,
            body=body.content,
            keep_alive=True,
        )
        response = self._post(request, deadline)
        return Reply(response.status, response.body)


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
