"""The page of the API's documents, written from its OpenAPI document: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

STYLE: Final = Path(__file__).resolve().parent.parent / "static" / "docs.css"

router = APIRouter(include_in_schema=False)

Document = Mapping[str, Any]


@router.get("/docs")
def docs(request: Request) -> Response:
    """Return the page."""
    return HTMLResponse(docs_page(request.app.openapi(), request.scope.get("root_path", "")))


@router.get("/docs.css")
def style() -> Response:
    """Return the page's style sheet."""
    return FileResponse(STYLE, media_type="text/css")


def docs_page(document: Document, root: str) -> str:
    """Return the page of an OpenAPI document that is served under ``root``."""
    info = document["info"]
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<link rel="stylesheet" href="{escape(root)}/docs.css"></head><body><main>',
        f"<h1>{escape(info['title'])}</h1>",
        *(f"<p>{escape(line)}</p>" for line in info["description"].split("\n\n")),
        f'<p>For programs: <a href="{escape(root)}/openapi.json">openapi.json</a>.</p>',
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts += _operation(document, root + path, method.upper(), operation)
    return "\n".join([*parts, "</main></body></html>"])


def _operation(document: Document, path: str, method: str, operation: Document) -> Iterator[str]:
    yield f"<section><h2><code>{method} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation.get('description', operation['summary']))}</p>"
    if operation.get("parameters"):
        yield "<table><caption>Parameters</caption>"
        for one in operation["parameters"]:
            needed = "needed" if one.get("required") else "optional"
            words = one.get("description") or one["schema"].get("description", "")
            yield _row(one["name"], f"in the {one['in']}, {needed}", words)
        yield "</table>"
    if "requestBody" in operation:
        body = _resolved(document, operation["requestBody"]["content"]["application/json"]["schema"])
        yield "<table><caption>JSON body</caption>"
        for name, schema in body["properties"].items():
            needed = "needed" if name in body.get("required", ()) else "optional"
            yield _row(name, needed, schema.get("description", ""))
        yield "</table>"
        for example in body.get("examples", ()):
            yield f"<pre>{escape(json.dumps(example, indent=2))}</pre>"
    yield "<table><caption>Responses</caption>"
    for status, response in operation["responses"].items():
        yield _row(status, "", response["description"])
    yield "</table></section>"


def _row(name: str, kind: str, words: str) -> str:
    return f"<tr><th><code>{escape(name)}</code></th><td>{escape(kind)}</td><td>{escape(words)}</td></tr>"


def _resolved(document: Document, schema: Document) -> Document:
    """Return a schema that may be a reference to a named one."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Document = document["components"]["schemas"][name] if name else schema
    return found
