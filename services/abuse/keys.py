"""Where the defence against abuse keeps what it knows: the data dictionary.

All of it is in one Cluster slot, because a send is decided over all of it in one step.
A ``<subject>`` is a keyed MAC of an address or a number block, the code of a country,
the id of a service client, or empty where a rule is for all. Times are Unix
milliseconds by Redis's clock; money is in millionths of the operator's currency.

======================================  ==============================================
``lim:{all}:<rule>:<subject>``          hash ``<window_ms>:<bucket>`` -> units; a bucket
                                        is a tenth of its window. TTL: the longest
                                        window and a tenth
``seen:{all}:<rule>:<subject>``         sorted set phone tag -> last send, of phones
                                        that have typed no code since. TTL: the longest
                                        window
``known:{all}:<3 of tag>``              hash rest of a phone's tag -> ``<day of its last
                                        won check>:<sends since>:<those from a device
                                        that it knows>``. TTL: 90 days
``conv:{all}:<scope>:<subject>``        JSON: codes sent and typed, see
                                        ``conversion.lua``. TTL: two days, of a country
                                        or caller eight
``blocks:{all}``                        hash ``<scope>:<subject>`` -> JSON {state,
                                        cause, since, ends, sent, typed, shadow, name}
                                        of what is not open; ``name`` is sealed. TTL: 8
                                        days
``saved:{all}``                         hash ``<scope>:<subject>|refused`` -> sends that
                                        the block kept back, ``...|micros`` -> what they
                                        would have cost at most. TTL: 8 days
``spend:{all}:<rule>:<subject>``        hash ``<window_ms>:<bucket>`` -> spent,
                                        ``held`` -> held for sends under way,
                                        ``told:<window_ms>`` -> percent last told of,
                                        and when. TTL: as ``lim``
``hold:{all}:<rule>:<subject>``         sorted set ``<send>:<amount>`` -> when it was
                                        held; a minute later it is void. TTL: 1 hour
``tally:{all}``                         hash ``<day>|<rule>|<verdict>|<shadow 0 or 1>``
                                        -> sends kept back, ``...|micros`` -> what they
                                        would have cost at most. TTL: 8 days
``guess:{all}``                         JSON {t, n, r, base, rolled, ends, on}: what
                                        everybody guesses, see ``guess.lua``. TTL: 8
                                        days
``wrong:{all}``                         hash ``<digits>:<hour>`` -> wrong checks of
                                        codes with so many digits. TTL: 26 hours
``used:{all}:<solution>``               the send that this challenge has let pass. TTL:
                                        longer than a challenge lives
``done:{all}:<random>``                 "1": this was taken down. TTL: ten minutes
======================================  ==============================================
"""

KNOWN = "known:{all}:"
BLOCKS = "blocks:{all}"
SAVED = "saved:{all}"
TALLY = "tally:{all}"
GUESSES = "guess:{all}"
WRONG = "wrong:{all}"
USED = "used:{all}:"
DONE = "done:{all}:"

# A phone that logged in is known so long; so it is in its own record.
KNOWN_DAYS = 90

# A million phones make buckets of four: hashes that small take little more than their
# fields.
_KNOWN_BUCKET = 3

_PREFIXES = {
    "count": "lim",
    "distinct": "seen",
    "guessing": "lim",
    "money": "spend",
}


def rule_key(kind: str, rule: str, scope: str, subject: str) -> str:
    """Name where one rule keeps what it knows of one subject."""
    if kind == "conversion":
        return f"conv:{{all}}:{scope}:{subject}"
    return f"{_PREFIXES[kind]}:{{all}}:{rule}:{subject}"


def holds_key(rule: str, subject: str) -> str:
    """Name where a rule about money keeps what is held for sends under way."""
    return f"hold:{{all}}:{rule}:{subject}"


def known_key(tag: str) -> tuple[str, str]:
    """Name the hash that says whether a phone is known, and its field there."""
    return KNOWN + tag[:_KNOWN_BUCKET], tag[_KNOWN_BUCKET:]
