"""The words of a text, and the proof at start-up that they fit into one SMS.

A text of two segments costs twice, and one curly apostrophe is enough to make it two.
"""

import re
from collections.abc import Iterable

# 3GPP TS 23.038 6.2.1: the default alphabet, one septet each. Escape, at 0x1B, is not
# a character of its own.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038 6.2.1.1: the extension table, two septets each.
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")

# 3GPP TS 23.040 9.2.3.24: 140 octets, of which a joined segment gives 6 to its header.
_SEPTETS, _SEPTETS_JOINED = 160, 153
_UCS2_UNITS, _UCS2_UNITS_JOINED = 70, 67

# The code comes first, where the notification's preview shows it. The tail never
# changes: people learn it.
_TEXTS = {
    "login": "{code} is your {brand} code. {tail}",
    "verify": "{code} is your {brand} verification code. {tail}",
}
_TAIL = "It expires in {time}. Don't share it with anyone."

# https://wicg.github.io/sms-one-time-codes/: the last line, "@" host, one space, "#"
# code, and nothing else; an explanatory text stands above it.
_AUTOFILL = "\n\n@{host} #{code}"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


class TemplateError(ValueError):
    """A template cannot be sent as it is configured."""


class Templates:
    """The texts in English.

    ``autofill_host`` is the storefront's host, from its settings and never from a
    request: browsers offer the code on that host only.

    Raises:
        TemplateError: a text would not fit one segment, or a part of it is malformed.
    """

    def __init__(
        self,
        *,
        brand: str,
        ttl_seconds: int,
        autofill_host: str | None = None,
        code_length: int = 6,
    ) -> None:
        self._brand = brand
        self._autofill_host = autofill_host
        self._ttl_seconds = ttl_seconds
        self._check("0" * code_length)

    def render(
        self, code: str, *, purpose: str = "login", ttl_seconds: int | None = None
    ) -> str:
        """Write the text; a resend says with ``ttl_seconds`` how much life is left."""
        left = self._ttl_seconds if ttl_seconds is None else ttl_seconds
        tail = _TAIL.format(time=_in_minutes(min(left, self._ttl_seconds)))
        text = _TEXTS[purpose].format(code=code, brand=self._brand, tail=tail)
        if self._autofill_host is None:
            return text
        return text + _AUTOFILL.format(host=self._autofill_host, code=code)

    def _check(self, code: str) -> None:
        if not self._brand.isprintable() or not self._brand.strip():
            raise TemplateError("the brand must be printable, and not empty")
        host = self._autofill_host
        if host is not None and not _HOST.fullmatch(host):
            raise TemplateError("the autofill host must be a bare lower-case host name")
        for purpose in _TEXTS:
            count = segments(self.render(code, purpose=purpose))
            if count > 1:
                raise TemplateError(
                    f"the text for {purpose} takes {count} segments: shorten the brand"
                    " or the autofill host, or use plain characters"
                )


def segments(text: str) -> int:
    """Count the SMS that a text takes.

    3GPP TS 23.038 and 23.040: alone 160 septets or 70 UTF-16 units, joined 153 or 67
    each. What takes two of either stays in one segment.
    """
    if all(char in _GSM7 or char in _GSM7_EXTENSION for char in text):
        widths = [1 + (char in _GSM7_EXTENSION) for char in text]
        alone, joined = _SEPTETS, _SEPTETS_JOINED
    else:
        # A character beyond the basic plane is a surrogate pair.
        widths = [1 + (ord(char) > 0xFFFF) for char in text]  # noqa: PLR2004
        alone, joined = _UCS2_UNITS, _UCS2_UNITS_JOINED
    return 1 if sum(widths) <= alone else _pack(widths, joined)


def _pack(widths: Iterable[int], size: int) -> int:
    count, used = 1, 0
    for width in widths:
        if used + width > size:
            count, used = count + 1, 0
        used += width
    return count


def _in_minutes(seconds: int) -> str:
    """Round down, so that no text promises more than there is."""
    minutes = max(1, seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
