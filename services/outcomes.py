"""How things may come out, where the words are a closed list: what events say."""

from typing import Literal

# Why a right code made no session; in use: by another account.
RefusalReason = Literal["frozen", "in_use"]

# Why sessions ended before their time. Evicted: the person had one too many; revoked:
# by a service client; moved: to another phone number.
EndReason = Literal[
    "logout",
    "logout_all",
    "evicted",
    "reused",
    "revoked",
    "admin",
    "moved",
    "reassigned",
    "erased",
]

# What became of a refresh token. Again: the same successor once more; reused: an older
# one, which ended the session; foreign: another client's; unproven: a service client's,
# which did not say who it is; denied: more than the session's scopes was asked for.
RefreshOutcome = Literal[
    "rotated",
    "again",
    "reused",
    "gone",
    "frozen",
    "foreign",
    "unproven",
    "denied",
]

ClientMethod = Literal["client_secret_basic", "private_key_jwt"]

ClientOutcome = Literal[
    "ok",
    "unknown",
    "expired",
    "wrong_secret",
    "wrong_signature",
    "wrong_claims",
    "replayed",
]

# What a rule against abuse says of a send.
Verdict = Literal["challenge", "block"]

# A subject whose codes are not typed: open; only for who solves a challenge; for nobody
# but known phones; a few sends to see whether it is over.
BlockState = Literal["open", "challenged", "blocked", "probing"]

# Few: too few codes are typed. Half: less than half of what is usual. Vendor: a vendor
# called it fraud. Operator: an operator ended it.
BlockCause = Literal["few", "half", "vendor", "operator", "recovered"]

# Foreign: solved for another phone or network. Unavailable: who checks it does not
# answer. Busy: it is asked about so many others now that it was not asked.
ChallengeOutcome = Literal[
    "solved",
    "malformed",
    "forged",
    "late",
    "foreign",
    "used",
    "refused",
    "unavailable",
    "busy",
]

MoneyPercent = Literal[80, 100]

# Sent: the operator's webhook took it. Failed: it did not, and will be asked again.
# Refused: it said no for good. Muted: it was told the same lately. Dropped: too many
# newer ones waited; late: it waited too long.
AlertOutcome = Literal["sent", "failed", "refused", "muted", "dropped", "late"]
