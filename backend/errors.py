"""Errors as problem documents (RFC 9457): one table, one renderer."""

from typing import NamedTuple

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES

from backend.oauth_errors import as_oauth, is_oauth
from backend.responses import json_response
from backend.telemetry import current_request_id
from services import errors

PROBLEM_TYPE = "application/problem+json"


class BodyError(Exception):
    """The request cannot be read; ``code`` says how."""

    def __init__(self, code: str, fields: list[dict[str, str]] | None = None) -> None:
        """``fields``: what is wrong with each, all at once."""
        super().__init__(code)
        self.code = code
        self.fields = fields


class Row(NamedTuple):
    """How one ``code`` is answered."""

    status: int
    title: str


# The one table: every ``code`` that an answer can carry.
PROBLEMS: dict[str, Row] = {
    "malformed_request": Row(400, "The request is not well-formed JSON"),
    "invalid_request": Row(422, "The request has fields that are not valid"),
    "phone_invalid": Row(422, "This is not a phone number"),
    "phone_not_supported": Row(422, "We cannot send to this phone number"),
    "wrong_code": Row(400, "The code is wrong"),
    "verification_gone": Row(410, "There is no such verification any more"),
    "attempts_exhausted": Row(410, "The guesses on this code are used up"),
    "phone_locked": Row(429, "Too many wrong codes for this phone"),
    "phone_disabled": Row(403, "SMS login is disabled for this phone"),
    "rate_limited": Row(429, "Too many requests"),
    "challenge_required": Row(403, "Solve the challenge and ask again"),
    "caller_blocked": Row(403, "No codes for this network"),
    "device_token_invalid": Row(422, "This is no device token of this phone"),
    "spend_limit": Row(503, "No messages to new phones for now"),
    "channel_not_available": Row(422, "This channel is not open for this number"),
    "recipient_unreachable": Row(422, "This phone cannot be reached"),
    "delivery_unavailable": Row(503, "No SMS provider could take the message"),
    "store_unavailable": Row(503, "The service cannot reach its store"),
    "invalid_signature": Row(403, "Nobody can tell that the vendor sent this"),
    "invalid_token": Row(401, "The token is not valid"),
    "insufficient_scope": Row(403, "The token does not allow this"),
    "invalid_grant": Row(400, "The refresh token is not good any more"),
    "invalid_scope": Row(400, "This scope was not granted"),
    "invalid_client": Row(401, "The service client does not prove who it is"),
    "unsupported_grant_type": Row(400, "There is no such grant type here"),
    "unsupported_token_type": Row(400, "Tokens of this kind cannot be revoked"),
    "subject_frozen": Row(403, "This account is frozen"),
    "fresh_login_required": Row(401, "This needs a fresh login"),
    "phone_in_use": Row(409, "This phone number belongs to another account"),
    "not_found": Row(404, "There is nothing here"),
    "method_not_allowed": Row(405, "This method is not allowed here"),
    "payload_too_large": Row(413, "The request is too large"),
    "unsupported_media_type": Row(415, "This media type is not read here"),
    "bad_request": Row(400, "The request cannot be understood"),
    "internal_error": Row(500, "Something went wrong on our side"),
}

_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    500: "internal_error",
}

# Their answers say what may be done next, errors included.
_WITH_NEXT = frozenset({"auth.send_otp", "auth.verify_otp", "auth.otp_status"})


def register_errors(app: Flask) -> None:
    """Answer every error of ``app`` with a problem document."""
    app.register_error_handler(errors.AuthError, _auth_error)
    app.register_error_handler(BodyError, _body_error)
    app.register_error_handler(HTTPException, _http_error)


def _auth_error(error: errors.AuthError) -> Response:
    problem = _problem(error.code)
    if error.detail is not None:
        problem["detail"] = error.detail
    if error.retry_after is not None:
        problem["retry_after"] = error.retry_after
    if error.attempts_left is not None:
        problem["attempts_left"] = error.attempts_left
    if error.limit is not None:
        problem["limit"] = error.limit
    if error.next_step is not None:
        problem["next"] = error.next_step
    if isinstance(error, errors.ChallengeRequired):
        problem["challenge"] = error.challenge
    response = _render(problem)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if challenge := _challenge(error):
        response.headers["WWW-Authenticate"] = challenge
    return response


def _challenge(error: errors.AuthError) -> str | None:
    """Return what a caller has to bring, where that is the trouble."""
    match error:
        case errors.TokenMissing():
            # RFC 6750 3.1: without an error, since nothing that was sent is wrong.
            return "Bearer"
        case errors.InvalidToken():
            # RFC 6750 3.1; the reason is not told.
            return 'Bearer error="invalid_token"'
        case errors.InsufficientScope():
            return 'Bearer error="insufficient_scope"'
        case errors.FreshLoginRequired():
            # RFC 9470 3: what a new login has to be like.
            unmet = 'Bearer error="insufficient_user_authentication"'
            return f'{unmet}, max_age="{error.max_age_seconds}"'
        case errors.InvalidClient():
            # RFC 6749 5.2.
            return 'Basic realm="service clients"'
        case _:
            return None


def _body_error(error: BodyError) -> Response:
    problem = _problem(error.code)
    if error.fields is not None:
        problem["errors"] = error.fields
    return _render(problem)


def _http_error(error: HTTPException) -> Response:
    status = error.code or InternalServerError.code
    code = _HTTP_CODES.get(status)
    if code is None:
        server_fault = status >= InternalServerError.code
        problem = _problem("internal_error" if server_fault else "bad_request")
        problem |= {"status": status, "title": HTTP_STATUS_CODES.get(status, "Error")}
    else:
        problem = _problem(code)
    response = _render(problem)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _problem(code: str) -> dict[str, object]:
    row = PROBLEMS[code]
    return {
        "type": f"urn:quickcart-auth:problem:{code}",
        "title": row.title,
        "status": row.status,
        "code": code,
        "request_id": current_request_id(),
    }


def _render(problem: dict[str, object]) -> Response:
    if request.endpoint in _WITH_NEXT and "next" not in problem:
        problem["next"] = _next_unknown(problem)
    status = int(str(problem["status"]))
    if is_oauth(request.path):
        return json_response(as_oauth(problem), status=status)
    return json_response(problem, status=status, content_type=PROBLEM_TYPE)


def _next_unknown(problem: dict[str, object]) -> errors.Next:
    """Say that nothing is known of the phone, save how long this trouble lasts."""
    retry_after = problem.get("retry_after")
    wait = retry_after if isinstance(retry_after, int) else None
    turn = errors.Turn(allowed=True, retry_in=wait)
    return errors.Next(sms=turn, check=turn)
