"""Write documentation/config_reference.md, the table of all fields: python executables/write_config_reference.py."""

import json
from collections.abc import Iterator
from pathlib import Path

from ml_project.config_fields import ConfigField, config_fields, value_text
from ml_project.config_sources import ENVIRONMENT_PREFIX

REFERENCE = Path(__file__).resolve().parent.parent / "documentation" / "config_reference.md"
SWITCHES = "switches"
HEADER = f"""# All fields of the config

Written by `executables/write_config_reference.py` from `ml_project/config.py`; do not edit it by hand. How values get
into a field: [configuration](configuration.md).

A field `section.field` is the option `--section.field`, the environment variable `{ENVIRONMENT_PREFIX}SECTION__FIELD`
and the line `field:` under `section:` in YAML. The defaults are those of the code; `--help` of a command shows the
values that hold for its use case.
"""


def render() -> str:
    """Return the page."""
    by_section: dict[str, list[ConfigField]] = {}
    for field in config_fields().values():
        section = field.name.split(".")[0] if field.is_section or "." in field.name else SWITCHES
        by_section.setdefault(section, []).append(field)
    return "\n".join([HEADER, *(line for name, fields in by_section.items() for line in render_section(name, fields))])


def render_section(name: str, fields: list[ConfigField]) -> Iterator[str]:
    """Yield the lines of one section: heading, description, table."""
    about = next((field.description for field in fields if field.name == name), "What kind of run it is.")
    yield from (f"## {name}", "", about, "", "| field | allowed | default | meaning |", "|---|---|---|---|")
    for field in fields:
        if field.name != name:
            allowed = field.allowed.replace("|   |", "| (a blank) |")
            cells = (f"`{field.name}`", allowed, render_default(field), field.description)
            yield f"| {' | '.join(cell.replace('|', '\\|') for cell in cells)} |"
    yield ""


def render_default(field: ConfigField) -> str:
    """Return the default in the words that options take; a section that is on has the defaults of its fields."""
    if field.is_section and field.default is not None:
        return "its fields' defaults"
    if isinstance(field.default, tuple) and "" in field.default:
        return f"`{json.dumps(field.default)}`"  # separated by commas, the empty text could not be seen
    text = value_text(field.default).removeprefix("default: ")
    return text if text == "must be set" else f"`{text}`"


def main() -> None:
    """Write the page."""
    REFERENCE.write_text(render(), encoding="utf-8")
    print(f"wrote {REFERENCE}")


if __name__ == "__main__":
    main()
