"""The simulator's vendors in this process: what they carry, and whom it costs what."""

import math
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from benchmarks.abuse.countries import COUNTRIES
from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.vendors import DirectTransport
from tests.simulator import vonage
from tests.simulator.inbox import Message
from tests.simulator.twilio import Twilio
from tests.simulator.vendor import ReceiptCall, Submission, Vendor
from tests.simulator.wire import Request, Response

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "laboratory-twilio-token"
SENDER = "+15005550006"

# A second vendor costs a little more than the first.
PRICE_FACTORS = {"twilio": 1.0, "vonage": 1.05}

_CODE = re.compile(r"\b[0-9]{6}(?:[0-9]{2})?\b")

_ANSWER_SECONDS = 0.15
# Seconds to the handset: half of the messages; two in a hundred are really slow.
_MEDIAN_SECONDS, _SPREAD = 4.0, 0.7
_SLOW_SHARE, _SLOW_SECONDS = 0.02, (35.0, 150.0)
# Lost ones, and of those the ones that a receipt tells of, after a while.
_LOST_SHARE, _TOLD_SHARE, _TOLD_SECONDS = 0.03, 0.5, 10.0

# Whose wish a message is.
Payer = Literal["history", "customer", "attacker", "victim"]


@dataclass(frozen=True, slots=True)
class Text:
    """A message that a vendor took, at a moment of the agenda; dollars."""

    at: float
    phone: str
    payer: Payer
    price: float
    code: str


# Told when a code is on a phone.
Arrive = Callable[[str, str], None]
# Takes what a vendor of that name says of its messages.
TakeReceipt = Callable[[str, ReceiptCall], None]


class Vendors:
    """Twilio and Vonage: they read requests as they do and answer in their words.

    What they tell of messages that arrived is left out: no rule hears of it.
    """

    def __init__(
        self,
        agenda: Agenda,
        *,
        seed: int,
        prices: dict[str, float],
        arrive: Arrive,
        take_receipt: TakeReceipt,
    ) -> None:
        """``prices`` are by how numbers begin; ``arrive`` is told of codes."""
        self.texts: list[Text] = []
        self.payer: Payer = "customer"
        self._sent: Counter[str] = Counter()
        self._agenda = agenda
        self._seed = seed
        self._prices = prices
        self._arrive = arrive
        self._take_receipt = take_receipt
        self._vendors: tuple[Vendor, ...] = (
            Twilio(ACCOUNT_SID, AUTH_TOKEN),
            vonage.Vonage(),
        )

    def open_transport(self, base_url: str) -> DirectTransport:
        """Return what stands where HTTP would."""
        return DirectTransport(base_url, self._post)

    def _post(self, request: Request, deadline: float) -> Response:
        del deadline  # These vendors are never late.
        vendor = next(it for it in self._vendors if it.serves(request.path))
        submission = vendor.receive(request)
        if isinstance(submission, Response):
            return submission  # A report on conversion, for which nobody waits.
        assert submission.accepted, f"{vendor.name} refused: {submission.code}"
        self._agenda.clock.advance(_ANSWER_SECONDS)
        self._carry(vendor, submission)
        return submission.response

    def _carry(self, vendor: Vendor, submission: Submission) -> None:
        (phone,) = submission.recipients
        found = _CODE.search(submission.text)
        assert found is not None
        price = self._price(phone) * PRICE_FACTORS[vendor.name]
        now = self._agenda.now
        self.texts.append(Text(now, phone, self.payer, price, found[0]))
        if self.payer == "history":
            self._arrive(phone, found[0])
            return
        if self.payer == "attacker":
            return
        # The same for a phone's nth message, whatever happens around it.
        self._sent[phone] += 1
        draws = random.Random(f"{self._seed}/{phone}/{self._sent[phone]}")
        if draws.random() < _LOST_SHARE:
            if draws.random() < _TOLD_SHARE:
                lost = partial(self._tell, vendor, submission)
                self._agenda.at(now + _TOLD_SECONDS, lost)
            return
        seconds = draws.lognormvariate(math.log(_MEDIAN_SECONDS), _SPREAD)
        if draws.random() < _SLOW_SHARE:
            seconds = draws.uniform(*_SLOW_SECONDS)
        self._agenda.at(now + seconds, partial(self._arrive, phone, found[0]))

    def _tell(self, vendor: Vendor, submission: Submission) -> None:
        message = Message(
            id=submission.message_id,
            provider=vendor.name,
            to=submission.recipients[0],
            text=submission.text,
            params=submission.params,
            outcome="accepted",
            code=None,
            http_status=vendor.success_status,
            rule=None,
            received_at=self._agenda.clock.now(),
            receipts_url=submission.receipts_url,
        )
        assert submission.receipts_url is not None
        call = vendor.receipt(message, "undelivered", None, submission.receipts_url)
        assert call is not None
        self._take_receipt(vendor.name, call)

    def _price(self, phone: str) -> float:
        # No code of a country is the beginning of another's.
        length = next(it for it in (2, 3, 4) if phone[:it] in self._prices)
        return self._prices[phone[:length]]


def price_list() -> dict[str, float]:
    """Return what a message costs, by the beginning of the number."""
    return {it.code: it.price for it in COUNTRIES.values()}
