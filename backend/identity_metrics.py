"""What is counted of people's sessions, service clients and operators."""

from collections.abc import Callable, Mapping
from typing import Any

from services import events


class IdentityMetrics:
    """The part of the metrics that is about identity; labels stay few."""

    def __init__(
        self, counter: Callable[..., Mapping[tuple[object, ...], Any]]
    ) -> None:
        """``counter(name, meaning, *labels)`` makes a metric."""
        self._sessions = counter("sessions_opened", "Logins.")
        self._refusals = counter(
            "sessions_refused", "Right codes that made no session.", "reason"
        )
        self._refreshes = counter(
            "session_refreshes", "Refresh tokens used.", "outcome"
        )
        self._ends = counter(
            "sessions_ended", "Sessions ended before their time.", "reason"
        )
        self._moves = counter("phone_changes", "People who moved to another number.")
        self._notices = counter(
            "notices",
            "Phones told that their account has another number, or not.",
            "provider",
            "country",
            "outcome",
        )
        self._clients = counter(
            "client_checks",
            "Service clients that proved who they are, or did not.",
            "client",
            "method",
            "outcome",
        )
        self._introspections = counter(
            "introspections", "Tokens that services asked about.", "client", "active"
        )
        self._keys = counter(
            "signing_key_changes", "Changes of signing keys followed.", "state"
        )
        self._admin = counter(
            "admin_actions", "What operators did to people.", "action", "outcome"
        )
        self.takers: dict[type, Callable[[Any], None]] = {
            events.SessionOpened: self._session_opened,
            events.SessionRefused: self._session_refused,
            events.SessionRefreshed: self._session_refreshed,
            events.SessionsEnded: self._sessions_ended,
            events.PhoneChanged: self._phone_changed,
            events.NoticeSent: self._notice_sent,
            events.ClientChecked: self._client_checked,
            events.TokenIntrospected: self._token_introspected,
            events.SigningKeyChanged: self._signing_key_changed,
            events.AdminActed: self._admin_acted,
        }

    def _session_opened(self, _: events.SessionOpened) -> None:
        self._sessions[()].inc()

    def _session_refused(self, event: events.SessionRefused) -> None:
        self._refusals[event.reason,].inc()

    def _session_refreshed(self, event: events.SessionRefreshed) -> None:
        self._refreshes[event.outcome,].inc()

    def _sessions_ended(self, event: events.SessionsEnded) -> None:
        self._ends[event.reason,].inc(event.count)

    def _phone_changed(self, _: events.PhoneChanged) -> None:
        self._moves[()].inc()

    def _notice_sent(self, event: events.NoticeSent) -> None:
        self._notices[event.provider, event.country, event.outcome].inc()

    def _client_checked(self, event: events.ClientChecked) -> None:
        self._clients[event.client, event.method, event.outcome].inc()

    def _token_introspected(self, event: events.TokenIntrospected) -> None:
        self._introspections[event.client, str(event.active).lower()].inc()

    def _signing_key_changed(self, event: events.SigningKeyChanged) -> None:
        self._keys[event.state,].inc()

    def _admin_acted(self, event: events.AdminActed) -> None:
        self._admin[event.action, event.outcome].inc()
