"""The page ``/docs``: Swagger UI from the files of an installed package, so that it works without the internet."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ml_project.errors import UnavailableError
from ml_project.serving.messages import HttpAnswer, HttpRequest

PACKAGE = "flask_swagger_ui"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Prediction service</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="page"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script>
    // A service with a key asks for it here, because a browser cannot send one along when it opens a page.
    async function show(key) {
      const headers = key ? { "X-API-Key": key } : {};
      const answer = await fetch("openapi.json", { headers });
      if (answer.status === 401) {
        const given = window.prompt("Key of the service");
        if (given) await show(given);
        return;
      }
      SwaggerUIBundle({
        url: "openapi.json",
        dom_id: "#page",
        deepLinking: true,
        tryItOutEnabled: true,
        requestInterceptor: (request) => Object.assign(request, { headers: { ...request.headers, ...headers } }),
      });
    }
    show();
  </script>
</body>
</html>
"""


def docs_page(request: HttpRequest, request_id: str) -> HttpAnswer:
    """Return the page."""
    return HttpAnswer(200, PAGE.encode(), "text/html; charset=utf-8")


def docs_script(request: HttpRequest, request_id: str) -> HttpAnswer:
    """Return the page's script."""
    return _file("swagger-ui-bundle.js", "text/javascript; charset=utf-8")


def docs_style(request: HttpRequest, request_id: str) -> HttpAnswer:
    """Return the page's style sheet."""
    return _file("swagger-ui.css", "text/css; charset=utf-8")


def _file(name: str, media_type: str) -> HttpAnswer:
    answer = HttpAnswer(200, (_folder() / name).read_bytes(), media_type)
    answer.headers = {"Cache-Control": "public, max-age=86400"}
    return answer


@cache
def _folder() -> Path:
    found = find_spec(PACKAGE)  # looked up and not imported, because the package would import Flask
    if found is None or found.origin is None:
        raise UnavailableError(f"The page needs the package {PACKAGE}, which is not installed; GET /openapi.json works")
    return Path(found.origin).parent / "dist"
