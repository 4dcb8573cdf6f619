"""What a rule makes of a vendor's answer."""

from dataclasses import replace
from typing import NamedTuple, assert_never

from tests.simulator.inbox import Code, Outcome
from tests.simulator.rules import DEFAULT_LOCATION, Action, Rule
from tests.simulator.server import Manner, Reply
from tests.simulator.vendor import Submission, Vendor
from tests.simulator.wire import Response

HUGE_BODY_BYTES = 10 * 1024 * 1024

_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_MANNERS: dict[Action, Manner] = {
    "drip": "drip",
    "drop_after_accepting": "reset",
    "drop_before": "reset",
    "hang": "silence",
}
_CUT_OFF_JSON = b'{"sid": "SM00000000", "return": tr'


class Verdict(NamedTuple):
    """How a send is answered, and what became of the text."""

    reply: Reply
    outcome: Outcome
    code: Code | None


def judge_untouched(submission: Submission, delay_seconds: float) -> Verdict:
    """Let the vendor have its way."""
    return Verdict(
        Reply(submission.response, delay_seconds),
        "accepted" if submission.accepted else "refused",
        submission.code,
    )


def judge_by_rule(
    rule: Rule, vendor: Vendor, submission: Submission, default_delay_seconds: float
) -> Verdict:
    """Apply ``rule``; its own delay, if it has one, replaces the default."""
    verdict = judge_untouched(submission, rule.seconds or default_delay_seconds)
    reply = replace(verdict.reply, manner=_MANNERS.get(rule.action, "whole"))
    match rule.action:
        case (
            "wait"
            | "drip"
            | "drop_after_accepting"
            # Of deliveries, which begin when the answer is given.
            | "receipt_late"
            | "receipt_doubled"
            | "receipt_out_of_order"
            | "receipt_missing"
            | "undelivered"
            | "outage"
        ):
            return verdict._replace(reply=reply)
        case "drop_before" | "hang":
            return Verdict(reply, "lost", None)
        case "error" | "status":
            response = _refusal(rule, vendor, submission)
            return Verdict(replace(reply, response=response), "refused", rule.code)
        case "html_502" | "not_json" | "redirect" | "huge":
            response = _strange_response(rule, vendor)
            return Verdict(replace(reply, response=response), "lost", None)
        case _:
            assert_never(rule.action)


def _refusal(rule: Rule, vendor: Vendor, submission: Submission) -> Response:
    if rule.code is not None:
        response = vendor.refusal(rule.code, submission.params)
    elif rule.status is not None:
        response = vendor.outage(rule.status)
    else:  # Rule sees to it that there is one or the other.
        raise AssertionError
    if rule.retry_after_seconds is None:
        return response
    hint = ("Retry-After", str(rule.retry_after_seconds))
    return replace(response, headers=(*response.headers, hint))


def _strange_response(rule: Rule, vendor: Vendor) -> Response:
    match rule.action:
        case "html_502":
            return Response(502, _GATEWAY_PAGE, "text/html")
        case "redirect":
            location = ("Location", rule.location or DEFAULT_LOCATION)
            return Response(302, b"", "text/html", (location,))
        case "huge":
            padding = b"x" * (HUGE_BODY_BYTES - len(b'{"sid": ""}'))
            return Response(vendor.success_status, b'{"sid": "' + padding + b'"}')
        case _:
            return Response(vendor.success_status, _CUT_OFF_JSON)
