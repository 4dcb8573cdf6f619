"""Builds the calls of the two scripts that all shared rules go through."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.abuse import keys
from services.abuse.bindings import Binding
from services.scripts import Call, Script
from utils.crypto import random_text

_LUA = Path(__file__).parent


def _load(name: str) -> Script:
    shared = ("windows", "conversion", "spend")
    return Script.load(*(_LUA / f"{it}.lua" for it in (*shared, name)))


_OP_BYTES = 9

_ADMIT, _AFTER = _load("admit"), _load("after")

# Stands where a call is about no phone.
_NO_TAG = "----"


def admit_call(
    arguments: dict[str, Any],
    bindings: Sequence[Binding],
    *,
    tag: str = "",
    solution_key: str = "",
) -> Call:
    """Return the call that decides over a send, or looks."""
    known, field = keys.known_key(tag or _NO_TAG)
    fixed = (known, keys.BLOCKS, keys.SAVED, keys.TALLY, keys.GUESSES)
    names = [*fixed, keys.USED + solution_key]
    arguments |= {"field": field, "tag": tag, "solved": bool(solution_key)}
    return Call(_ADMIT, *_with_rules(names, arguments, bindings))


def after_call(
    arguments: dict[str, Any], bindings: Sequence[Binding], *, tag: str = ""
) -> Call:
    """Return the call that takes down what became of a send."""
    known, field = keys.known_key(tag or _NO_TAG)
    names = [keys.BLOCKS, keys.SAVED, known, keys.DONE + random_text(_OP_BYTES)]
    arguments |= {"field": field, "tag": tag}
    return Call(_AFTER, *_with_rules(names, arguments, bindings))


def _with_rules(
    names: list[str], arguments: dict[str, Any], bindings: Sequence[Binding]
) -> tuple[list[str], dict[str, Any]]:
    """Add the rules: their documents, their keys, and the holds of those with money."""
    names += [it.key for it in bindings]
    rules = []
    for it in bindings:
        document = it.document
        if document["kind"] == "money":
            names.append(keys.holds_key(it.name, document["subject"]))
            document = {**document, "holds": len(names)}
        rules.append(document)
    arguments["rules"] = rules
    arguments["known_days"] = keys.KNOWN_DAYS
    return names, arguments
