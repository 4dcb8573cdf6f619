"""A FastAPI service that knows who calls: ``fastapi run fastapi_service.py``."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from quickcart_auth import Identity, Introspection, Verifier
from quickcart_auth.fastapi import answer_problems, login_required

asking = Introspection("svc-orders", os.environ["AUTH_CLIENT_SECRET"])
verifier = Verifier(os.environ["AUTH_ISSUER"], "quickcart", introspection=asking)
app = FastAPI()
answer_problems(app)
Person = Annotated[Identity, Depends(login_required(verifier))]
Admin = Annotated[Identity, Depends(login_required(verifier, role="admin", live=True))]


@app.get("/orders")
def orders(person: Person) -> dict[str, str]:
    """Anybody who is logged in, checked offline."""
    return {"orders_of": person.subject}


@app.get("/reports")
def reports(admin: Admin) -> dict[str, str]:
    """Admins alone, and only while their session lives."""
    return {"reports_for": admin.subject}
