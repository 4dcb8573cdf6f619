"""What the service says of itself when it starts."""

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from backend.composition.checked_settings import configured_providers
from config.config import Settings
from config.server import ServerOptions

_CONSOLE_ONLY = """\
Log in with three lines. The code appears in this terminal; in the second line put it in
place of CODE.
"""
_BY_SMS = """\
Log in with three lines. Put your own phone in place of YOUR_PHONE, and in the second
line the code from the text message in place of CODE.
"""
_LINES = """\
  ID=$(curl -s {url}/api/send-otp -H 'Content-Type: application/json' \
-d '{{"phone":"{phone}"}}' | sed 's/.*"verification_id":"\\([^"]*\\)".*/\\1/')
  TOKEN=$(curl -s {url}/api/verify-otp -H 'Content-Type: application/json' \
-d '{{"verification_id":"'$ID'","phone":"{phone}","otp":"CODE"}}' \
| sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s {url}/api/me -H "Authorization: Bearer $TOKEN"
"""


def banner(settings: Settings, server: ServerOptions) -> str:
    """Return where it listens, what it uses, what to mind, and how to log in."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    url = f"http://{host}:{server.port}"
    providers = [it.name for it in configured_providers(settings)]
    embedded = settings.embedded_store
    store = "embedded: one process, lost on restart" if embedded else "Redis"
    lines = [
        f"QuickCart Auth ({settings.environment}) on {url}",
        f"  store      {store}",
        f"  providers  {', '.join(providers)}",
        f"  countries  {', '.join(settings.allowed_countries)}",
        f"  tokens     of {settings.token_issuer} for {settings.token_audience}",
        f"  workers    {server.workers} with {server.threads} threads",
        *(f"  warning    {text}" for text in settings.warnings),
    ]
    if settings.ephemeral_secret:
        lines.append(
            "  warning    SECRET_KEY: not set; a new one at every start, which ends "
            "all sessions and names everybody anew"
        )
    if settings.environment == "development":
        console_only = providers == ["console"]
        phone = _example(settings.default_country) if console_only else "YOUR_PHONE"
        lines += [
            "",
            _CONSOLE_ONLY if console_only else _BY_SMS,
            _LINES.format(url=url, phone=phone),
        ]
    return "\n".join(lines)


def _example(region: str) -> str:
    """Return a mobile number of a country, of the kind that nobody is disturbed by."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    if number is None:
        return "YOUR_PHONE"
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
