"""A Flask service that knows who calls: ``flask --app flask_service run``."""

import os

from flask import Flask, g

from quickcart_auth import Introspection, Verifier
from quickcart_auth.flask import require_login

asking = Introspection("svc-orders", os.environ["AUTH_CLIENT_SECRET"])
verifier = Verifier(os.environ["AUTH_ISSUER"], "quickcart", introspection=asking)
app = Flask(__name__)


@app.get("/orders")
@require_login(verifier)
def orders() -> dict[str, object]:
    """Anybody who is logged in, checked offline."""
    return {"orders_of": g.identity.subject}


@app.get("/reports")
@require_login(verifier, role="admin", live=True)
def reports() -> dict[str, object]:
    """Admins alone, and only while their session lives."""
    return {"reports_for": g.identity.subject}
