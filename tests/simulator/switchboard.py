"""Pass each request to the vendor it is for, bend the answer by rules, keep record."""

import time
from collections.abc import Mapping, Sequence

from tests.simulator.control import Control
from tests.simulator.delivery import Timing, reaches_phone
from tests.simulator.faults import Verdict, judge_by_rule, judge_untouched
from tests.simulator.inbox import Inbox, Message
from tests.simulator.page import show_phones
from tests.simulator.receipts import Receipts
from tests.simulator.rules import PlacedRule, RuleBook
from tests.simulator.server import Reply
from tests.simulator.vendor import Submission, Vendor
from tests.simulator.wire import Request, json_response


class Switchboard:
    """All vendors behind one address. One thread at a time."""

    def __init__(
        self,
        vendors: Sequence[Vendor],
        latency_seconds: float,
        *,
        receipt_urls: Mapping[str, str],
        timing: Timing,
        seed: int,
    ) -> None:
        """Answer for ``vendors``, each answer ``latency_seconds`` late.

        Raises:
            ValueError: a receipt URL is no vendor's, or cannot be called.
        """
        self._vendors = vendors
        self._latency_seconds = latency_seconds
        self.inbox = Inbox()
        self.rules = RuleBook(
            {vendor.name: vendor.error_codes for vendor in vendors},
            {vendor.name: vendor.receipt_codes for vendor in vendors},
            seed,
        )
        self.receipts = Receipts(vendors, urls=receipt_urls, timing=timing)
        self._control = Control(self.rules, self.inbox, self.receipts)

    def answer(self, request: Request) -> Reply:
        """Decide what happens to a request.

        A text counts as accepted from here on, before any delay: a sender that
        gives up waiting has sent it all the same, as at the real vendors.
        """
        for vendor in self._vendors:
            if vendor.serves(request.path):
                return self._answer_as(vendor, request)
        if self._control.serves(request.path):
            return Reply(self._control.answer(request))
        if request.path == "/":
            return Reply(show_phones(self.inbox, self.receipts))
        return Reply(json_response(404, {"error": "no vendor has such a path"}))

    def _answer_as(self, vendor: Vendor, request: Request) -> Reply:
        submission = vendor.receive(request)
        if not isinstance(submission, Submission):
            return Reply(submission, self._latency_seconds)
        placed = self.rules.take(vendor.name, submission.recipients)
        if placed is None:
            verdict = judge_untouched(submission, self._latency_seconds)
        else:
            verdict = judge_by_rule(
                placed.rule, vendor, submission, self._latency_seconds
            )
        self._record(vendor, submission, placed, verdict)
        return verdict.reply

    def _record(
        self,
        vendor: Vendor,
        submission: Submission,
        placed: PlacedRule | None,
        verdict: Verdict,
    ) -> None:
        received_at = time.time()
        reply, outcome, code = verdict
        answered = reply.manner in {"whole", "drip"}
        accepted = outcome == "accepted"
        for to in submission.recipients or ("",):
            fate = self.rules.take_delivery(vendor.name, to) if accepted else None
            acting = placed or fate
            message = Message(
                id=submission.message_id if accepted else None,
                provider=vendor.name,
                to=to,
                text=submission.text,
                params=submission.params,
                outcome=outcome,
                code=code,
                http_status=reply.response.status if answered else None,
                rule=acting.id if acting else None,
                received_at=received_at,
                receipts_url=submission.receipts_url,
                reached_phone=accepted and reaches_phone(fate.rule if fate else None),
            )
            self.inbox.add(message)
            if accepted:
                self.receipts.plan(
                    message, fate.rule if fate else None, reply.delay_seconds
                )
