"""One request to a FastAPI service, without a network."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI


def ask(app: FastAPI, path: str, token: str | None = None, **headers: str) -> Any:
    """Send a GET and return the answer."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://service"
        ) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(get())
