"""How many SMS a text takes."""

import pytest

from services.sms.segments import excess, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("^{}\\[~]|\f", 1),
        # An escape pair is not cut: 152 septets, the pair moves to the next segment.
        ("a" * 152 + "€" + "a" * 10, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("\u2019" + "a" * 69, 1),
        ("\u2019" + "a" * 70, 2),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # A surrogate pair is not cut either: 33 of them fill 66 of 67 units.
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_segments_are_counted_as_the_networks_do(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("a" * 160, 0),
        ("a" * 163, 3),
        ("a" * 159 + "€", 1),
        ("\u2019" + "a" * 69, 0),
        ("😀" * 36, 2),
    ],
)
def test_what_is_too_much_for_one_is_counted_too(text: str, units: int) -> None:
    assert excess(text) == units
