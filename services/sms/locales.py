"""Which language a person gets: asked for, preferred, or usual in the country."""

import re
from collections.abc import Collection, Iterator
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

DEFAULT = "en"

# In India, English is understood in every state and Hindi is not; whoever reads Hindi
# has a browser or an app that says so.
_USUAL = {"IN": "en"}

# RFC 9110 12.5.4 and 12.4.2: a language range and its weight of three decimals at most.
_RANGE = re.compile(
    r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[Qq]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
# No browser sends as much; more is somebody's wish to see us busy.
_RANGES_MAX = 20
_HEADER_MAX = 1_000


def choose_locale(
    available: Collection[str],
    *,
    requested: str | None,
    accept_language: str | None,
    region: str,
) -> str:
    """Return the one of ``available`` that suits a person best.

    In this order: what the request asks for, what the browser does, what is usual in
    the country (ISO 3166 ``region``), English. What is malformed counts for nothing.
    """
    known = {tag.lower(): tag for tag in available}
    wanted = (
        requested or "",
        *_accepted(accept_language or ""),
        usual_language(region),
    )
    for tag in wanted:
        for shorter in chain(tag):
            if shorter in known:
                return known[shorter]
    return DEFAULT


def chain(tag: str) -> Iterator[str]:
    """Yield a language tag and its ever shorter beginnings, in lower case.

    RFC 4647 3.4: a single letter or digit goes together with what stood behind it.
    """
    parts = tag.lower().replace("_", "-").split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()


@cache
def usual_language(region: str) -> str:
    """Return the language most of a country reads, as Unicode's CLDR has it."""
    usual = _USUAL.get(region)
    if usual:
        return usual
    languages = get_official_languages(region, de_facto=True)
    return languages[0].replace("_", "-") if languages else DEFAULT


def is_language(tag: str) -> bool:
    """Say whether a tag, such as ``pt-BR``, is a language that CLDR knows."""
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the most wanted first."""
    weights: list[tuple[float, str]] = []
    for part in header[:_HEADER_MAX].split(",")[:_RANGES_MAX]:
        match = _RANGE.fullmatch(part.strip(" \t"))
        weight = float(match[2] or 1) if match else 0.0
        if match and weight:
            weights.append((weight, match[1]))
    # Sorting is stable: of equals, the first one counts.
    return [tag for _, tag in sorted(weights, key=lambda it: -it[0])]
