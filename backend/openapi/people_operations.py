"""The routes of people who are logged in, as the OpenAPI document shows them."""

from backend.openapi.operation import BODY_PROBLEMS, PHONE_PROBLEMS, Operation
from backend.schemas.otp import LoginResponse
from backend.schemas.people import (
    ChangePhoneRequest,
    LogoutRequest,
    MeResponse,
    SessionsResponse,
)

_PERSON_PROBLEMS = ("invalid_token", "store_unavailable")

PEOPLE_OPERATIONS = (
    Operation(
        method="get",
        path="/api/me",
        summary="Tell who the bearer of the token is, if the session is alive.",
        status=200,
        answers=(MeResponse,),
        problems=_PERSON_PROBLEMS,
        bearer="accessToken",
    ),
    Operation(
        method="post",
        path="/api/me/phone",
        summary="Move the account to another number; needs a login just now.",
        status=200,
        body=ChangePhoneRequest,
        answers=(LoginResponse,),
        problems=(
            *BODY_PROBLEMS,
            *PHONE_PROBLEMS,
            *_PERSON_PROBLEMS,
            "fresh_login_required",
            "wrong_code",
            "verification_gone",
            "attempts_exhausted",
            "phone_locked",
            "phone_disabled",
            "rate_limited",
            "subject_frozen",
            "phone_in_use",
        ),
        bearer="accessToken",
    ),
    Operation(
        method="get",
        path="/api/sessions",
        summary="List where the person is logged in.",
        status=200,
        answers=(SessionsResponse,),
        problems=_PERSON_PROBLEMS,
        bearer="accessToken",
    ),
    Operation(
        method="delete",
        path="/api/sessions/{session_id}",
        summary="End one of the person's own sessions.",
        status=204,
        answers=(),
        problems=(*_PERSON_PROBLEMS, "not_found"),
        bearer="accessToken",
    ),
    Operation(
        method="post",
        path="/api/logout",
        summary="End the session of an access token, or else of a refresh token.",
        status=204,
        body=LogoutRequest,
        is_body_optional=True,
        answers=(),
        problems=(*BODY_PROBLEMS, *_PERSON_PROBLEMS),
        security=("accessToken", "refreshCookie", ""),
    ),
    Operation(
        method="post",
        path="/api/logout-all",
        summary="End all sessions of the person, this one included.",
        status=204,
        answers=(),
        problems=_PERSON_PROBLEMS,
        bearer="accessToken",
    ),
)
