"""The REST API: one application, mounted beside the dashboard by the launcher, or served alone.

A route reads its inputs, calls one use case of core and answers. What it works with comes from the launcher, so
nothing here depends on a page.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute, Mount

from api import PREFIX
from api.deps import Service
from api.guard import Guard
from api.problems import add_problem_handlers
from api.responses import PROBLEM
from api.routes import docs, estimates, feedback, listings, markets, metrics, service
from core.installation import version

TITLE: Final = "Doorstep API"
DESCRIPTION: Final = """Price ranges for homes, for listing systems and agents' apps.

Send an API key as the header "Authorization: Bearer KEY"; programs on the computer that Doorstep runs on need none. \
Bodies are JSON. Errors are problem+json (RFC 9457) with a code for programs and one entry for each field.

No price is an answer, not an error: its status is unavailable, and it has the reason and what helps. A market without \
a live model answers so, too (code no_model); 503 says that the store cannot be used, so try again.

Headers: X-Request-Id is echoed and stored with the estimate. With an Idempotency-Key, a repeated POST gets the first \
answer again for a day; the same key with another request is refused (409). RateLimit-Remaining says how many requests \
are left this minute."""


def create_api(given: Service) -> FastAPI:
    """Return the API's application."""
    app = FastAPI(
        title=TITLE,
        version=version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.service = given
    app.add_middleware(Guard, body_max=given.settings.body_max, metrics=given.metrics)
    add_problem_handlers(app)
    for part in (service, metrics, markets, estimates, feedback, listings, docs):
        app.include_router(part.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def routes(given: Service) -> list[BaseRoute]:
    """Return the routes to mount in a server of several parts."""
    return [Mount(PREFIX, create_api(given), name="api")]


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, made once: with keys as a way to authenticate, but for what is open to all."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=[{"url": PREFIX}],
        )
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for path, methods in document["paths"].items():
            for operation in methods.values():
                operation["security"] = [] if path in ("/health", "/ready") else [{"key": []}, {}]
                # FastAPI's own 422 has another form than ours.
                if "HTTPValidationError" in str(operation["responses"].get("422", "")):
                    del operation["responses"]["422"]
                for response in operation["responses"].values():
                    _describe_problem(response)
        app.openapi_schema = document
    return app.openapi_schema


def _describe_problem(response: dict[str, Any]) -> None:
    """Give a problem its own media type; FastAPI describes every model as plain JSON."""
    content = response.get("content", {})
    if PROBLEM in content:
        content[PROBLEM] = content.pop("application/json")
