"""Request and response bodies about people: logins, sessions, the phone they have."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from backend.schemas import (
    Body,
    CountryText,
    EndUserIp,
    PhoneText,
    VerificationIdText,
)


def _printable(name: str) -> str:
    if not name.isprintable() or not name.strip():
        message = "must be printable, and not empty"
        raise ValueError(message)
    return name


CodeText = Annotated[
    str, Field(pattern="^[0-9]{6}$", description="The code.", examples=["123456"])
]
SessionMode = Annotated[
    Literal["token", "cookie"],
    Field(
        description="Where the refresh token goes: into the body, or into a cookie"
        " that no script can read."
    ),
]
# The longest that we make is under 200 characters.
RefreshTokenText = Annotated[str, Field(min_length=1, max_length=400)]


class VerifyOtpRequest(Body):
    """Submit the code that the person typed."""

    verification_id: VerificationIdText
    phone: PhoneText
    country: CountryText | None = None
    otp: CodeText
    end_user_ip: EndUserIp | None = None
    session: SessionMode = "token"
    scope: (
        Annotated[
            Literal["phone"],
            Field(description="phone: the access tokens name the phone number, too."),
        ]
        | None
    ) = None
    device_name: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=40,
                description="What the list of sessions calls this device; without it"
                " the kind of browser counts.",
                examples=["Asha's phone"],
                json_schema_extra={"format": "device-name"},
            ),
            AfterValidator(_printable),
        ]
        | None
    ) = None


class ChangePhoneRequest(Body):
    """Move the account to another number, with the code that was sent there."""

    verification_id: VerificationIdText
    phone: PhoneText
    country: CountryText | None = None
    otp: CodeText
    session: SessionMode = "token"


class LogoutRequest(Body):
    """Log out without an access token: holding the refresh token is enough."""

    refresh_token: RefreshTokenText


class User(Body):
    """The person who logged in."""

    id: Annotated[str, Field(description="Opaque and stable; never the number.")]
    phone: Annotated[str, Field(description="E.164.")]
    roles: list[str]


class LoggedInUser(User):
    """The person who just logged in."""

    first_login: Annotated[
        bool, Field(description="No login of this phone in the last 90 days.")
    ]


class LoginResponse(Body):
    """The person is logged in: the code was right, and this is a new session."""

    verified: Literal[True]
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="Seconds.")]
    refresh_token: Annotated[
        str | None, Field(description="Not there in cookie mode.")
    ] = None
    refresh_expires_in: Annotated[
        int, Field(description="Seconds, if it is not used until then.")
    ]
    user: LoggedInUser


class SessionView(Body):
    """The session that the token belongs to."""

    id: str
    device: str
    created_at: Annotated[int, Field(description="Unix seconds.")]
    expires_in: Annotated[int, Field(description="Seconds the token is still good.")]


class MeResponse(Body):
    """Who the bearer of the token is."""

    user: User
    session: SessionView


class SessionInList(Body):
    """One of a person's sessions."""

    id: str
    device: Annotated[str, Field(description="As it was named, or its kind.")]
    client: Annotated[str, Field(description="The storefront, or direct.")]
    created_at: Annotated[int, Field(description="Unix seconds.")]
    last_used_at: Annotated[int, Field(description="Unix seconds, to the minute.")]
    current: Annotated[bool, Field(description="The token belongs to it.")]


class SessionsResponse(Body):
    """A person's sessions, the one that was used last first."""

    sessions: list[SessionInList]
