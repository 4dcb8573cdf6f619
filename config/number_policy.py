"""The file that says which numbers are served: by country and by kind of number.

::

    [countries]
    IN = "allow"
    AE = "challenge"
    US = { sms = "allow", voice = "challenge" }

    [types]
    voip = "challenge"
    fixed_line = { voice = "allow" }

A treatment alone is for every channel, save that a country is called only where it
names ``voice``: a call costs as much as ten texts. A table blocks what it does not
name. A message names an entry by its place, and repeats nothing but what is known to be
a country or a type.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from config.fields import read
from config.lists import parse_country
from config.toml_tables import read_document
from utils.phone import KINDS

Channel = Literal["sms", "whatsapp", "voice"]
Treatment = Literal["allow", "challenge", "block"]
Treatments = Mapping[Channel, Treatment]

_CHANNELS: tuple[Channel, ...] = ("sms", "whatsapp", "voice")
_TREATMENTS: Mapping[str, Treatment] = {
    "allow": "allow",
    "challenge": "challenge",
    "block": "block",
}
_NO_CALLS: Treatments = {"voice": "block"}


@dataclass(frozen=True, slots=True)
class NumberRules:
    """What the file says of each channel, by country and by type of number."""

    countries: Mapping[str, Treatments]
    types: Mapping[str, Treatments]

    def served(self, *channels: Channel) -> tuple[str, ...]:
        """Return the countries in which one of ``channels``, or any, is not blocked."""
        return tuple(
            country
            for country, treatments in self.countries.items()
            if any(treatments[it] != "block" for it in channels or _CHANNELS)
        )


def read_number_policy(path: str) -> NumberRules:
    """Return what the file says.

    Raises:
        ValueError: it cannot be read, or names every entry that cannot be used.
    """
    document = read_document(path)
    countries, types = document.pop("countries", None), document.pop("types", {})
    if document or not isinstance(countries, dict) or not isinstance(types, dict):
        raise ValueError(
            "must hold [countries] and may hold [types], and nothing beside them;"
            " an empty [countries] serves nobody"
        )
    problems: list[str] = []
    rules = NumberRules(
        countries=dict(
            _entries("countries", countries, parse_country, problems, alone=_NO_CALLS)
        ),
        types=dict(_entries("types", types, _parse_type, problems, alone={})),
    )
    if problems:
        raise ValueError("; ".join(problems))
    return rules


def _entries(
    table: str,
    entries: Mapping[str, Any],
    parse_name: Callable[[str], str],
    problems: list[str],
    *,
    alone: Treatments,
) -> Iterator[tuple[str, Treatments]]:
    """Yield what can be read, and note the rest; ``alone`` binds one alone."""
    seen = set[str]()
    for place, (text, value) in enumerate(entries.items(), start=1):
        where = f"entry {place} of [{table}]"
        try:
            name = parse_name(text)
        except ValueError as error:
            problems.append(f"{where} {error}")
            continue
        if name in seen:
            problems.append(f"{where} is for {name}, as an entry before it is")
        seen.add(name)
        try:
            yield name, _parse_treatments(value, alone)
        except ValueError as error:
            problems.append(f"{where} ({name}) {error}")


def _parse_treatments(value: object, alone: Treatments) -> Treatments:
    if isinstance(value, dict) and value:
        if not value.keys() <= set(_CHANNELS):
            raise ValueError(f"may name {', '.join(_CHANNELS)} and nothing else")
        return {it: _parse_treatment(value.get(it, "block")) for it in _CHANNELS}
    return {**dict.fromkeys(_CHANNELS, _parse_treatment(value)), **alone}


def _parse_treatment(value: object) -> Treatment:
    treatment = _TREATMENTS.get(value) if isinstance(value, str) else None
    if treatment is None:
        raise ValueError("must be allow, challenge or block, for all or by channel")
    return treatment


def _parse_type(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"must be a type of number: {', '.join(KINDS)}")
    return text


NumberPolicyFile = Annotated[NumberRules, read(read_number_policy)]
