"""How many SMS a text takes."""

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")  # each costs two septets


def count_segments(text: str) -> int:
    """Count the SMS a text takes: 160 or 153 septets each, or 70 or 67 UTF-16 units."""
    extended = sum(map(text.count, _GSM7_EXTENDED))
    if _GSM7_EXTENDED.union(_GSM7).issuperset(text):
        return _divide(len(text) + extended, alone=160, joined=153)
    return _divide(len(text.encode("utf-16-le")) // 2, alone=70, joined=67)


def _divide(units: int, *, alone: int, joined: int) -> int:
    return 1 if units <= alone else -(-units // joined)
