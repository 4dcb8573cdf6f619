"""What the report says whatever was found: what is assumed, and why some is missed."""

from collections.abc import Mapping

ASSUMED = """\
## What is taken for granted

- Attackers solve every challenge at once and at no cost, and honest people too: the
  worst case. What a challenge costs an attacker is not in the figures.
- No defence: every rule off, and the limits of a single phone taken out, without which
  production does not start. Per address: that, and the default limits on one address,
  as refusals. Ours: the defaults, and caps on money of three times an ordinary day, in
  all and by country.
- Sixty of a hundred honest people logged in before, at most four weeks ago, and did so
  at this very service before the day began; a third of them bring the device token of
  that login. Numbers lie in blocks of ten thousand: most have a few customers, every
  tenth or so customer lives in a block with 200 customers of the day.
- Four carriers' addresses have 500 people each behind them; a third have a /64 of
  their own in a /48 shared by 64; the others share an address with a household, an
  office, a carrier or a hotel abroad.
- Five in a hundred mistype once and one three times; 1.5 never type. Three of a
  hundred messages are lost, two take up to 150 s; people press again when they may.
- Attacks of an hour begin at 13:00 (UTC), the shop's busiest time; honest people come
  from 20 minutes before until 15 minutes after. "Refused" is who met a refusal by a
  rule for many at least once, "challenged" who had to solve a challenge: of those who
  came after the attack had begun.
- Pumps ask for messages to Indonesia, at 0.25 dollars. Without a defence nobody honest
  is simulated beside them, and beside a day-long attack with limits per address a
  fifth, as nothing there depends on it. One victim's day has 5,000 logins around it.
- Crossed is when a rule first showed itself: asked for a challenge, or refused.
  Stopped is the message after which none got through for a minute, and at most one in
  a hundred attempts ever: later ones are what probes and the next windows let pass."""


GUESSING = """\
guessing: the codes of one phone, asked for every half minute for a day and guessed at
five times each, from 1,000 addresses. A hundred wrong codes in a row disable SMS for a
phone at every level. reverse: "123456" at customers' phones, one guess each, 100,000 a
day, from 10,000 addresses; three hours of it, and what they came to times eight.
Expected takeovers are the guesses that were evaluated, each by the digits of its code:
the same for a million phones as for ten, because a limit counts everybody's guesses.
Who stays just below it all day is not met: that is the arithmetic among the targets."""


ENUMERATION = """\
The same is asked of phones that logged in five days ago and of phones that never did,
over the HTTP application in one process, in turn; milliseconds are medians. Equal are
status, names of headers and body, but for ids and the masked number. While a country
or prefix is blocked, or money is short, customers are served and strangers are not:
then, and only there, an answer does tell."""

# By what a claim is about; told only where it was missed.
WHY_NOT: Mapping[str, str] = {
    "pump: slow": (
        "what passes are the first messages, until enough of them are old enough to be"
        " judged, and the probes after each block."
    ),
    "pump: addresses": (
        "each prefix is judged by itself, and a solved challenge lets three times the"
        " count of each pass; a challenge costs the attacker nothing here."
    ),
    "pump: crowd": (
        "who logs in for the first time, from a number in the prefix that is attacked,"
        " cannot be told from the attacker; whoever logged in before is served."
    ),
    "pump: fifty": (
        "each prefix is judged by itself, so each lets its first messages pass, and"
        " fifty prefixes fifty times as many. Caps on money end it, and the challenge"
        " that costs nothing here."
    ),
    "pump: hidden": (
        "so few messages to a prefix are not many more than what it takes to judge it,"
        " and every block is tried again. Caps on money end it."
    ),
}
