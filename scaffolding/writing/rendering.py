"""The templates of the user's part, filled in."""

from __future__ import annotations

from typing import Any


def render(template: str, **values: Any) -> str:
    """Return a template's text with its values; a value that is missing is an error."""
    import jinja2

    environment = jinja2.Environment(  # noqa: S701  what is written is Python and Markdown, no HTML
        loader=jinja2.PackageLoader("scaffolding.writing"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)
