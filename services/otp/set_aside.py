"""Numbers that regulators set aside for films, books and documentation.

Nobody has them, and the examples of manuals are full of them: a text to one is money
for nothing. Written as national digits without a leading 0; ``x`` is any digit.
"""

import re
from collections.abc import Mapping

_SET_ASIDE: Mapping[int, str] = {
    # NANPA, 555 line numbers (ATIS, "555 NXX Assignment Guidelines"): 555-0100 to
    # 555-0199 in every area code, whichever country it is of.
    1: "xxx55501xx",
    # Arcep, decision 2018-0881 (national numbering plan): audiovisual works.
    33: "19900xxxx 26191xxxx 35301xxxx 46571xxxx 53649xxxx 63998xxxx",
    # Ofcom, "Telephone numbers for use in TV and radio drama programmes".
    44: """
        1134960xxx 1144960xxx 1154960xxx 1164960xxx 1174960xxx 1184960xxx 1214960xxx
        1314960xxx 1414960xxx 1514960xxx 1614960xxx 1632960xxx 1914980xxx 2079460xxx
        2896496xxx 2920180xxx 3069990xxx 7700900xxx 8081570xxx 9098790xxx
    """,
    # PTS, telephone numbers for books and films (page of 14 May 2024).
    46: "3139006xx 4062804xx 8465004xx 9803192xx 70174060[5-9] 7017406[1-9]x",
    # Bundesnetzagentur, Mitteilung 148/2021 (Amtsblatt 7/2021, page 489): media
    # productions.
    49: """
        3023125xxx 4066969xxx 6990009xxx 2214710xxx 8999998xxx 17139200xx 176040690xx
        15228817386 15228895456 15254599371 1729925904 1729968532 1729973185 1729973186
        1729980752 1749091317 1749464308
    """,
    # ACMA, "Phone numbers for use in TV shows, films and creative works".
    61: """
        [2378]5550xxxx [2378]7010xxxx 1800160401 180097570[7-9] 180097571[01]
        130097570[7-9] 130097571[01] 1900654321 491570006 491570110 49157015[6-9]
        491570313 491570737 491571266 491571491 491571804 491572549 491572665 491572983
        491573087 491573770 491574118 491574632 491575254 491575789 491576398 491576801
        491577426 491577644 491578148 491578888 491578957 491579212 491579455 491579760
    """,
    # ComReg 15/136, "Numbering Conditions of Use and Application Process".
    353: "2091xxxxx",
}


def _pattern(spellings: str) -> re.Pattern[str]:
    return re.compile("|".join(spellings.replace("x", "[0-9]").split()))


_PATTERNS = {code: _pattern(spellings) for code, spellings in _SET_ASIDE.items()}


def is_set_aside(country_code: int, national: str) -> bool:
    """Tell whether nobody has a number, by its calling code and national digits."""
    pattern = _PATTERNS.get(country_code)
    return pattern is not None and pattern.fullmatch(national) is not None
