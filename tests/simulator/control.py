"""The simulator's own HTTP interface, for tests in another process."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import get_args
from urllib.parse import parse_qsl

from tests.simulator.inbox import Code, Inbox
from tests.simulator.receipts import ReceiptRefused, Receipts
from tests.simulator.rules import PlacedRule, RuleBook, RuleRefused, read_rule
from tests.simulator.vendor import State
from tests.simulator.wire import Request, Response, json_response, read_json

_PREFIX = "/_simulator/"
_STATES: tuple[State, ...] = get_args(State)


class _Unreadable(ValueError):
    """A document, or the query, does not say what it must."""


@dataclass(frozen=True, slots=True)
class _Order:
    """A receipt to be sent by hand, as it came."""

    message_id: str
    state: State
    code: Code | None
    doubled: bool


class Control:
    """Rules in, messages and receipts out, under ``/_simulator/``.

    ``receipts`` takes ``{message_id, state, code?, doubled?}`` and sends that receipt
    at once; GET shows what came back. ``receipt-urls`` takes ``{provider, url}``, as
    the vendor's dashboard would; null sends no more.
    """

    def __init__(self, rules: RuleBook, inbox: Inbox, receipts: Receipts) -> None:
        """Act on these."""
        self._rules = rules
        self._inbox = inbox
        self._receipts = receipts
        self._routes: dict[str, dict[str, Callable[[Request], Response]]] = {
            "health": {"GET": self._health},
            "messages": {"GET": self._list_messages, "DELETE": self._clear_messages},
            "rules": {
                "GET": self._list_rules,
                "POST": self._add_rule,
                "DELETE": self._clear_rules,
            },
            "receipts": {
                "GET": self._list_receipts,
                "POST": self._send_receipt,
                "DELETE": self._clear_receipts,
            },
            "receipt-urls": {"GET": self._list_urls, "POST": self._set_url},
        }

    def serves(self, path: str) -> bool:
        """Claim the prefix that no vendor has."""
        return path.startswith(_PREFIX)

    def answer(self, request: Request) -> Response:
        """Do as asked."""
        methods = self._routes.get(request.path.removeprefix(_PREFIX))
        if methods is None:
            return json_response(404, {"error": f"one of {', '.join(self._routes)}"})
        answer = methods.get(request.method)
        if answer is None:
            allow = ", ".join(methods)
            return json_response(405, {"error": f"use {allow}"}, ("Allow", allow))
        try:
            return answer(request)
        except _Unreadable as error:
            return json_response(422, {"error": str(error)})

    def _health(self, _: Request) -> Response:
        return json_response(200, {"status": "pass", "messages": len(self._inbox)})

    def _list_messages(self, request: Request) -> Response:
        filters = _read_filters(request, {"to", "provider"})
        # An unescaped + means a space in a query, and no number starts with one.
        to = filters["to"].replace(" ", "+") if "to" in filters else None
        found = self._inbox.find(to=to, provider=filters.get("provider"))
        return json_response(200, {"messages": [asdict(m) for m in found]})

    def _clear_messages(self, _: Request) -> Response:
        self._inbox.clear()
        return _NO_CONTENT

    def _list_rules(self, _: Request) -> Response:
        return json_response(200, {"rules": [_show(placed) for placed in self._rules]})

    def _add_rule(self, request: Request) -> Response:
        try:
            placed = self._rules.add(read_rule(read_json(request)))
        except RuleRefused as error:
            return json_response(422, {"error": str(error), "field": error.field})
        except ValueError as error:
            return json_response(400, {"error": f"not JSON: {error}"})
        return json_response(201, _show(placed))

    def _clear_rules(self, _: Request) -> Response:
        self._rules.clear()
        return _NO_CONTENT

    def _list_receipts(self, request: Request) -> Response:
        found = self._receipts.find(
            **_read_filters(request, {"message_id", "provider"})
        )
        return json_response(200, {"receipts": [asdict(it) for it in found]})

    def _send_receipt(self, request: Request) -> Response:
        order = _read_order(request)
        message = self._inbox.find_by_id(order.message_id)
        if message is None:
            raise _Unreadable("message_id: no such message")
        try:
            count = self._receipts.plan_one(
                message, order.state, order.code, doubled=order.doubled
            )
        except ReceiptRefused as error:
            return json_response(422, {"error": str(error)})
        return json_response(202, {"receipts": count})

    def _clear_receipts(self, _: Request) -> Response:
        self._receipts.clear()
        return _NO_CONTENT

    def _list_urls(self, _: Request) -> Response:
        return json_response(200, {"receipt_urls": dict(self._receipts.urls)})

    def _set_url(self, request: Request) -> Response:
        document = _read_object(request, {"provider", "url"})
        provider, url = document.get("provider"), document.get("url")
        if not isinstance(provider, str) or not (url is None or isinstance(url, str)):
            raise _Unreadable("provider is a string, url a string or null")
        try:
            self._receipts.set_url(provider, url)
        except ValueError as error:
            raise _Unreadable(str(error)) from None
        return self._list_urls(request)


_NO_CONTENT = Response(204, b"")


def _read_filters(request: Request, known: set[str]) -> dict[str, str]:
    filters = dict(parse_qsl(request.query, keep_blank_values=True))
    unknown = filters.keys() - known
    if unknown:
        raise _Unreadable(f"unknown filter: {min(unknown)}")
    return filters


def _read_object(request: Request, known: set[str]) -> dict[str, object]:
    try:
        document = read_json(request)
    except ValueError as error:
        raise _Unreadable(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _Unreadable("not a JSON object")
    unknown = document.keys() - known
    if unknown:
        raise _Unreadable(f"unknown field: {min(unknown)}")
    return document


def _read_order(request: Request) -> _Order:
    document = _read_object(request, {"message_id", "state", "code", "doubled"})
    message_id, code = document.get("message_id"), document.get("code")
    doubled = document.get("doubled", False)
    if not isinstance(message_id, str):
        raise _Unreadable("message_id: a string is needed")
    state = next((it for it in _STATES if it == document.get("state")), None)
    if state is None:
        raise _Unreadable(f"state: one of {', '.join(_STATES)}")
    if not (code is None or isinstance(code, int | str)) or isinstance(code, bool):
        raise _Unreadable("code: a number or a string")
    if not isinstance(doubled, bool):
        raise _Unreadable("doubled: true or false")
    return _Order(message_id, state, code, doubled)


def _show(placed: PlacedRule) -> dict[str, object]:
    fields = asdict(placed.rule)
    return {
        "id": placed.id,
        **{name: value for name, value in fields.items() if value is not None},
        "matched": placed.matched,
        "taken": placed.taken,
        "spent": placed.spent,
    }
