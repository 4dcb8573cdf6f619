"""What people see of themselves: who they are, their sessions, their number."""

from typing import Annotated

from pydantic import Field

from backend.schemas.body import Body
from backend.schemas.otp import (
    CodeText,
    CountryText,
    PhoneText,
    RefreshTokenText,
    VerificationIdText,
)


class ChangePhoneRequest(Body):
    """Move the account to another number, with the code that was sent there.

    Beside the access token it takes the session's newest refresh token, here or in the
    cookie; the answer has the next one where this came from.
    """

    verification_id: VerificationIdText
    phone: PhoneText
    country: CountryText | None = None
    otp: CodeText
    refresh_token: (
        Annotated[
            RefreshTokenText,
            Field(description="The session's newest; without it the cookie counts."),
        ]
        | None
    ) = None


class LogoutRequest(Body):
    """Log out without an access token: holding the refresh token is enough."""

    refresh_token: RefreshTokenText


class SessionView(Body):
    """The session that the token belongs to."""

    id: str
    device: str
    created_at: Annotated[int, Field(description="Unix seconds.")]
    expires_in: Annotated[int, Field(description="Seconds the token is still good.")]


class User(Body):
    """The person whom the token is about."""

    id: Annotated[str, Field(description="Opaque and stable; never the number.")]
    phone: Annotated[
        str, Field(description="E.164 with scope phone; otherwise masked.")
    ]
    roles: list[str]


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
    last_used_at: Annotated[
        int,
        Field(description="Unix seconds, to the hour; the login where that was later."),
    ]
    current: Annotated[bool, Field(description="The token belongs to it.")]


class SessionsResponse(Body):
    """A person's sessions, the one that was used last first."""

    sessions: list[SessionInList]
