"""Errors as OAuth clients read them (RFC 6749 5.2), beside what our problems say."""

from collections.abc import Mapping
from typing import Any

# Answered as application/json, with ``error`` and ``error_description``.
OAUTH_PATHS = frozenset({"/api/token", "/api/token/introspect", "/api/token/revoke"})

# Our codes by OAuth's names, where those differ. RFC 6749 5.2 has a closed list for the
# token endpoint; what is not in it is the request's fault, or ours.
_ERRORS = {
    "bad_request": "invalid_request",
    "method_not_allowed": "invalid_request",
    "payload_too_large": "invalid_request",
    "unsupported_media_type": "invalid_request",
    "store_unavailable": "temporarily_unavailable",
    "internal_error": "server_error",
}
_DESCRIPTIONS = {
    "unsupported_media_type": "The request must be application/x-www-form-urlencoded"
}


def is_oauth(path: str) -> bool:
    """Tell whether what answers at ``path`` speaks OAuth."""
    return path.rstrip("/") in OAUTH_PATHS


def as_oauth(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem with what an OAuth client looks for in front."""
    code = problem["code"]
    reasons = [
        f"{it['field']}: {it['message']}" if it["field"] else it["message"]
        for it in problem.get("errors", ())
    ]
    described = _DESCRIPTIONS.get(code) or problem.get("detail") or problem["title"]
    return {
        "error": _ERRORS.get(code, code),
        "error_description": "; ".join(reasons) or described,
        **problem,
    }
