"""Which alphabet a text needs, and how many SMS it takes."""

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


def is_gsm7(text: str) -> bool:
    """Tell whether the default alphabet has every character of a text."""
    return all(char in _GSM7 or char in _GSM7_EXTENSION for char in text)


def segments(text: str) -> int:
    """Count the SMS that a text takes.

    3GPP TS 23.038 and 23.040: alone 160 septets or 70 UTF-16 units, joined 153 or 67
    each. What takes two of either stays in one segment.
    """
    widths, alone, joined = _measure(text)
    return 1 if sum(widths) <= alone else _pack(widths, joined)


def excess(text: str) -> int:
    """Count the septets or UTF-16 units by which a text is too long for one SMS."""
    widths, alone, _ = _measure(text)
    return max(0, sum(widths) - alone)


def _measure(text: str) -> tuple[list[int], int, int]:
    if is_gsm7(text):
        widths = [1 + (char in _GSM7_EXTENSION) for char in text]
        return widths, _SEPTETS, _SEPTETS_JOINED
    # A character beyond the basic plane is a surrogate pair.
    widths = [1 + (ord(char) > 0xFFFF) for char in text]  # noqa: PLR2004
    return widths, _UCS2_UNITS, _UCS2_UNITS_JOINED


def _pack(widths: Iterable[int], size: int) -> int:
    count, used = 1, 0
    for width in widths:
        if used + width > size:
            count, used = count + 1, 0
        used += width
    return count
