"""The Flask application, and ``python -m backend.app``, which serves it."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from flask_cors import CORS

from backend.banner import banner
from backend.body import READ_BYTES
from backend.callers import Callers
from backend.composition.checked_settings import load_checked_settings
from backend.composition.subject_key import refuse_other_names
from backend.credentials import Credentials
from backend.errors import register_errors
from backend.routes.abuse_routes import abuse_routes
from backend.routes.admin_routes import admin_routes
from backend.routes.auth_routes import auth_routes
from backend.routes.docs_routes import docs_routes
from backend.routes.health_routes import health_routes
from backend.routes.jwks_routes import jwks_routes
from backend.routes.metadata_routes import metadata_routes
from backend.routes.oauth_routes import oauth_routes
from backend.routes.people_routes import people_routes
from backend.routes.phone_routes import phone_routes
from backend.routes.webhook_routes import webhook_routes
from backend.telemetry import Telemetry
from backend.wiring import Services, build_services
from config.config import Settings, SettingsError
from config.logging import configure_logging
from config.server import serve, server_options, try_to_listen

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# Exit code of a configuration error (sysexits.h).
_EX_CONFIG = 78


def create_app(
    settings: Settings,
    services: Services | None = None,
    telemetry: Telemetry | None = None,
) -> Flask:
    """Return the application, its services built from ``settings`` unless given."""
    telemetry = telemetry or Telemetry(configure_logging(settings.log_level))
    if services is None:
        services = build_services(settings, emit=telemetry.emit)
        services.chores.start()
    callers = Callers(
        trusted_proxies=settings.trusted_proxies, origins=settings.storefront_origins
    )
    app = Flask(__name__, static_folder=None)
    # Whatever FLASK_DEBUG says: in debug mode errors are raised, not answered.
    app.debug = False
    app.config["MAX_CONTENT_LENGTH"] = READ_BYTES
    app.url_map.strict_slashes = False
    # Or a path with // would be answered with a redirect, in HTML.
    app.url_map.merge_slashes = False

    register_errors(app)
    _protect(app)
    _stop_strangers(app, services.ensure_names)
    telemetry.watch(app, callers)
    if settings.storefront_origins:
        _allow_storefronts(app, settings.storefront_origins)
    credentials = Credentials(
        services.identity,
        callers,
        public_people=settings.environment == "production",
    )
    app.register_blueprint(auth_routes(services, credentials, callers))
    app.register_blueprint(people_routes(services.identity, credentials, callers))
    app.register_blueprint(phone_routes(services, credentials, callers))
    app.register_blueprint(webhook_routes(services.deliveries, services.addresses))
    app.register_blueprint(jwks_routes(services.identity.keys))
    app.register_blueprint(oauth_routes(services.identity, credentials, callers))
    app.register_blueprint(metadata_routes(settings.token_issuer))
    app.register_blueprint(admin_routes(services.admin, credentials))
    app.register_blueprint(abuse_routes(services.desk, credentials))
    app.register_blueprint(
        health_routes(
            services,
            telemetry,
            metrics_token=(
                settings.metrics_token.get_secret_value()
                if settings.metrics_token
                else None
            ),
            open_metrics=settings.environment == "development",
        )
    )
    app.register_blueprint(docs_routes())
    return app


def main() -> int:
    """Serve by the settings; return the exit code when they do not allow it."""
    arguments = argparse.ArgumentParser(prog="python -m backend.app")
    arguments.add_argument(
        "--default-env",
        choices=("development", "production"),
        default="production",
        help="what FLASK_ENV is where nothing sets it",
    )
    options = arguments.parse_args()
    try:
        settings = load_checked_settings(options.default_env)
        # The workers read the settings again and must come to the same ones.
        os.environ["FLASK_ENV"] = settings.environment
        server = server_options(settings)
        try_to_listen(server)
        if refuse_other_names(settings):
            # It was done, or there is nothing to do.
            os.environ["SUBJECT_KEY_CHANGE"] = "false"
        print(banner(settings, server), file=sys.stderr, flush=True)  # noqa: T201
        serve("backend.wsgi:app", server)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log yet
        return _EX_CONFIG
    return 0


def _allow_storefronts(app: Flask, origins: tuple[str, ...]) -> None:
    # As patterns of our own: flask-cors would guess that one with [ is a pattern, and
    # compare the others without regard to case.
    exact = [
        "*" if origin == "*" else re.compile(rf"{re.escape(origin)}\Z")
        for origin in origins
    ]
    CORS(
        app,
        resources={r"/api/.*": {"origins": exact}},
        methods=["GET", "POST", "DELETE"],
        allow_headers=["Content-Type", "Authorization", "X-Requested-With"],
        expose_headers=["X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
        # For the cookie mode; never where any origin may call.
        supports_credentials="*" not in origins,
        max_age=600,
    )


def _stop_strangers(app: Flask, ensure_names: Callable[[], None]) -> None:
    """Serve nothing but monitors while names differ from those in the store."""

    @app.before_request
    def ensure() -> None:
        if request.blueprint != "health":
            ensure_names()


def _protect(app: Flask) -> None:
    """Keep answers out of caches, and browsers from guessing at them."""
    inner = app.wsgi_app

    def protected(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        def start(
            line: str,
            headers: list[tuple[str, str]],
            exc_info: Any = None,
        ) -> Callable[[bytes], object]:
            headers.append(("X-Content-Type-Options", "nosniff"))
            if environ["PATH_INFO"].startswith("/api"):
                headers.append(("Cache-Control", "no-store"))
            return start_response(line, headers, exc_info)

        return inner(environ, start)

    app.wsgi_app = protected  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
