"""The operator's file of texts, judged as a whole: every text can be sent as it is."""

import itertools
import re
import string
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from unicodedata import category

import phonenumbers

from services.sms import dlt
from services.sms.locales import is_language
from services.sms.own_templates import OwnTemplate, OwnTemplates, TemplateError
from services.sms.provider import Dlt
from services.sms.segments import excess
from services.sms.words import CLIENTS, NOTICE, WORDINGS, WORDS

# Two codes, so that a registered text with one of them in a variable's place is found.
_CODES = ("000000", "987654")

_PLACEHOLDERS = ("code", "minutes", "brand", "host", "app_hash")

_KINDS = (*WORDINGS, NOTICE)
_ENDINGS = ("00", "87")
_NOTICE_PLACEHOLDERS = ("ending", "brand")
_DLT = ("dlt_entity_id", "dlt_template_id", "dlt_text")

# What nobody sees, and registries and filters do. Scripts of India and of Persia cannot
# be written without the two joiners.
_TEXT_WANTED = "must not be empty, nor have invisible characters"
_SEEN = str.maketrans("", "", "\n\u200c\u200d")

# https://wicg.github.io/sms-one-time-codes/: browsers read nothing but the last line.
_AUTOFILL = re.compile(r"@\S+ #\{code\}(?: @\S+)?")


def read_templates(
    tables: Sequence[Mapping[str, Any]],
    *,
    vendors: Collection[str],
    fixed: Mapping[str, str],
    minutes_max: int,
    wordless: Collection[str] = (),
) -> OwnTemplates:
    """Turn the file's ``[[template]]`` tables into texts.

    ``vendors`` are all that may be named, but for the ``wordless``, who send words of
    their own. ``fixed`` has ``brand``, ``host`` and ``app_hash`` as far as they are
    set, and ``minutes_max`` is a code's whole life.

    Raises:
        TemplateError: names every problem, by the template's place in the file.
    """
    problems: list[str] = []
    templates: dict[tuple[str | None, ...], OwnTemplate] = {}
    for place, table in enumerate(tables, start=1):
        found = list(_find_malformed(table, vendors))
        found += _find_unused(table, wordless)
        if not found:
            template = _build(place, table, fixed)
            found = list(_find_unsendable(template, table.get("dlt_text"), minutes_max))
            first = templates.setdefault(template.scope, template)
            if first is not template:
                found.append(f"is for the same messages as template {first.place}")
        problems += [f"template {place}: {it}" for it in found]
    if problems:
        raise TemplateError(*problems)
    return OwnTemplates(tuple(templates.values()))


def find_unserved(
    own: OwnTemplates, *, vendors: Collection[str], regions: Collection[str]
) -> Iterator[str]:
    """Yield the texts that would go to nobody.

    ``vendors`` are those that are configured, ``regions`` those that are sent to.
    """
    for it in own.templates:
        if it.vendor and it.vendor not in vendors:
            yield f"template {it.place}: is for {it.vendor}, which is not configured"
        if it.country and it.country not in regions:
            yield f"template {it.place}: is for {it.country}, which is not served"


def find_dlt_gaps(own: OwnTemplates, vendors: Collection[str]) -> Iterator[str]:
    """Yield what would go to India without ids, although other texts have theirs.

    ``vendors`` are those that are configured.
    """
    sent = [
        (
            vendor,
            locale,
            purpose,
            own.find(
                vendor=vendor,
                region=dlt.REGION,
                locale=locale,
                purpose=purpose,
                client=client,
            ),
        )
        for vendor in sorted(dlt.VENDORS.intersection(vendors))
        for locale, purpose, client in itertools.product(
            sorted({*WORDS, *own.locales}), WORDINGS, CLIENTS
        )
    ]
    registered = {vendor for vendor, _, _, it in sent if it and it.dlt}
    if not registered:
        return
    for place in sorted({it.place for *_, it in sent if it and not it.dlt}):
        yield f"template {place}: lacks DLT ids, which other texts to India have"
    for vendor in sorted(registered):
        shipped = [(to, why) for by, to, why, it in sent if by == vendor and not it]
        if shipped:
            locale, purpose = shipped[0]
            yield (
                f"{vendor} has DLT ids for India, but not for every text: no template"
                f" is for {purpose} in {locale}"
            )


def _find_malformed(
    table: Mapping[str, Any], vendors: Collection[str]
) -> Iterator[str]:
    """Yield what is wrong with a table's keys, each looked at alone."""
    checks: dict[str, tuple[Callable[[str], bool], str]] = {
        "text": (_is_text, _TEXT_WANTED),
        "vendor": (vendors.__contains__, f"must be one of {', '.join(vendors)}"),
        "country": (
            phonenumbers.SUPPORTED_REGIONS.__contains__,
            "must be a country such as IN",
        ),
        "locale": (is_language, "must be a language such as en or pt-BR"),
        "purpose": (_KINDS.__contains__, f"must be one of {', '.join(_KINDS)}"),
        "client": (CLIENTS.__contains__, f"must be one of {', '.join(CLIENTS)}"),
        "dlt_entity_id": (dlt.is_id, "must be 19 digits, in quotes"),
        "dlt_template_id": (dlt.is_id, "must be 19 digits, in quotes"),
        "dlt_text": (_is_text, _TEXT_WANTED),
    }
    for key, value in table.items():
        if key not in checks:
            yield f"has the key {key!r}, which means nothing; {', '.join(checks)} do"
            continue
        is_good, wanted = checks[key]
        if not (isinstance(value, str) and is_good(value)):
            yield f"{key} {wanted}"
    if "text" not in table:
        yield "text is missing"
    lacking = [key for key in _DLT if key not in table]
    if len(lacking) < len(_DLT):
        yield from (f"{key} is missing" for key in lacking)


def _find_unused(table: Mapping[str, Any], wordless: Collection[str]) -> Iterator[str]:
    """Yield what would be made no use of, by the vendor that is named above all."""
    if table.get("purpose") == NOTICE and "client" in table:
        yield "is a notice, which goes to a phone whatever its client"
    vendor = table.get("vendor")
    if not isinstance(vendor, str):
        return
    if vendor in wordless:
        yield f"is for {vendor}, which sends words of its own"
    elif vendor not in dlt.VENDORS and "dlt_entity_id" in table:
        yield f"has DLT ids, which {vendor} does not pass on"


def _is_text(text: str) -> bool:
    return bool(text) and all(
        char.isprintable() or category(char) == "Zs" for char in text.translate(_SEEN)
    )


def _build(
    place: int, table: Mapping[str, Any], fixed: Mapping[str, str]
) -> OwnTemplate:
    template = OwnTemplate(
        place=place,
        text=table["text"],
        vendor=table.get("vendor"),
        country=table.get("country"),
        locale=table.get("locale"),
        purpose=table.get("purpose"),
        client=table.get("client"),
        fixed=fixed,
    )
    if "dlt_entity_id" not in table:
        return template
    ids = Dlt(entity_id=table["dlt_entity_id"], template_id=table["dlt_template_id"])
    return replace(template, dlt=ids)


def _find_unsendable(
    template: OwnTemplate, registered: str | None, minutes_max: int
) -> Iterator[str]:
    faults = list(_find_bad_placeholders(template))
    if faults:
        yield from faults
        return
    if template.purpose == NOTICE:
        texts = [template.fill_notice(ending) for ending in _ENDINGS]
    else:
        texts = [
            template.fill(code, minutes)
            for code in _CODES
            for minutes in range(1, minutes_max + 1)
        ]
    if over := max(map(excess, texts)):
        yield f"text is {over} characters too long for one SMS"
    if registered is None:
        return
    if unknown := dlt.unknown_variables(registered):
        yield f"dlt_text has a variable {unknown[0]!r}, which the registry does not"
        return
    ends = [dlt.find_mismatch(registered, text) for text in texts]
    if differing := [it for it in ends if it is not None]:
        yield (
            "dlt_text is not what would be sent: they agree in the first"
            f" {min(differing)} characters only"
        )


def _find_bad_placeholders(template: OwnTemplate) -> Iterator[str]:
    *_, last = template.text.split("\n")
    if _AUTOFILL.search(template.text) and not _AUTOFILL.fullmatch(last):
        yield "text has @host #code, which must be the whole last line"
    try:
        parts = list(string.Formatter().parse(template.text))
    except ValueError:
        yield "text has a brace too many; a brace of its own is written twice"
        return
    is_notice = template.purpose == NOTICE
    allowed = _NOTICE_PLACEHOLDERS if is_notice else _PLACEHOLDERS
    wanted = "ending" if is_notice else "code"
    used = {name for _, name, _, _ in parts if name is not None}
    plain = all(not spec and not conversion for _, _, spec, conversion in parts)
    if not plain or not used.issubset(allowed):
        known = ", ".join(f"{{{it}}}" for it in allowed)
        yield f"text has an unknown placeholder; known are {known}"
    if wanted not in used:
        yield f"text lacks {{{wanted}}}"
    for name in ("brand", "host", "app_hash"):
        if name in used and name not in template.fixed:
            yield f"text has {{{name}}}, which no setting fills"
