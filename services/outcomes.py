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
