"""The simulator's own HTTP interface, for tests in another process."""

from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import parse_qsl

from tests.simulator.inbox import Inbox
from tests.simulator.rules import PlacedRule, RuleBook, RuleRefused, read_rule
from tests.simulator.wire import Request, Response, json_response, read_json

_PREFIX = "/_simulator/"
_FILTERS = {"to", "provider"}


class Control:
    """Rules in, messages out, under ``/_simulator/``."""

    def __init__(self, rules: RuleBook, inbox: Inbox) -> None:
        """Act on these."""
        self._rules = rules
        self._inbox = inbox
        self._routes: dict[str, dict[str, Callable[[Request], Response]]] = {
            "health": {"GET": self._health},
            "messages": {"GET": self._list_messages, "DELETE": self._clear_messages},
            "rules": {
                "GET": self._list_rules,
                "POST": self._add_rule,
                "DELETE": self._clear_rules,
            },
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
        return answer(request)

    def _health(self, _: Request) -> Response:
        return json_response(200, {"status": "pass", "messages": len(self._inbox)})

    def _list_messages(self, request: Request) -> Response:
        filters = dict(parse_qsl(request.query, keep_blank_values=True))
        unknown = filters.keys() - _FILTERS
        if unknown:
            return json_response(422, {"error": f"unknown filter: {min(unknown)}"})
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


_NO_CONTENT = Response(204, b"")


def _show(placed: PlacedRule) -> dict[str, object]:
    fields = asdict(placed.rule)
    return {
        "id": placed.id,
        **{name: value for name, value in fields.items() if value is not None},
        "matched": placed.matched,
        "taken": placed.taken,
        "spent": placed.spent,
    }
