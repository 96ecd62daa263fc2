"""The config's fields as a flat list: dotted name, description, range, default, and how to read a value from text."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ml_project.config import Config

BOUND_SIGNS = {
    annotated_types.Ge: ("ge", ">="),
    annotated_types.Gt: ("gt", ">"),
    annotated_types.Le: ("le", "<="),
    annotated_types.Lt: ("lt", "<"),
}
PLAIN_NAMES = {str: "text", int: "whole number", float: "number", bool: "true | false", type(None): "null"}
NULL_TEXTS = frozenset({"null", "none"})


@dataclass(frozen=True)
class ConfigField:
    """One field of the config or one of its sections.

    Attributes
    ----------
    name
        Dotted name, for instance ``data.csv.delimiter``.
    annotation
        The field's type, without its bounds.
    description
        One line about the field.
    allowed
        Type and range in words, for instance ``whole number >= 2``.
    default
        Default value; ``PydanticUndefined`` where the field must be set.
    is_section
        Whether the field holds further fields.
    """

    name: str
    annotation: Any
    description: str
    allowed: str
    default: Any
    is_section: bool

    def parse(self, text: str) -> Any:
        """Return the value that a text from the environment or the command line stands for.

        Lists are separated by commas, sections and dictionaries are YAML, ``null`` unsets a value. What the value
        may be is left to the config's own validation.
        """
        stripped = text.strip()
        kinds = set(_plain_types(self.annotation))
        if (not text or stripped.lower() in NULL_TEXTS) and type(None) in kinds:
            return None
        if stripped.startswith(("[", "{")) or self.is_section or dict in kinds:
            return yaml.safe_load(stripped)
        if tuple in kinds:
            return [part.strip() for part in stripped.split(",") if part.strip()]
        return yaml.safe_load(stripped) if {str, int} <= kinds and {float, bool} <= kinds else text


@cache
def config_fields() -> dict[str, ConfigField]:
    """Return every field of :class:`ml_project.config.Config` by its dotted name, in the order of the classes."""
    return {field.name: field for field in _walk(Config, "")}


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section class inside an annotation such as ``CsvConfig | None``, or ``None`` where there is none."""
    for kind in _plain_types(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _walk(model: type[BaseModel], prefix: str) -> Iterator[ConfigField]:
    for name, info in model.model_fields.items():
        section = section_of(info.annotation)
        yield ConfigField(
            name=prefix + name,
            annotation=info.annotation,
            description=" ".join((info.description or "").split()),
            allowed="section" if section else _allowed(info.annotation, info.metadata),
            default=info.default,
            is_section=section is not None,
        )
        if section is not None:
            yield from _walk(section, f"{prefix}{name}.")


def _plain_types(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _plain_types(part)
    elif origin is Annotated:
        yield from _plain_types(get_args(annotation)[0])
    elif origin is Literal:
        yield Literal
    else:
        yield origin or annotation


def _allowed(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        # bounds that pydantic keeps beside a union concern its numbers, and no null
        return " or ".join(_allowed(part, () if part is type(None) else metadata) for part in get_args(annotation))
    if origin is Annotated:
        base, *own = get_args(annotation)
        return _allowed(base, own)
    if origin is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if origin is tuple:
        return "list, separated by commas"
    if origin is dict:
        return "mapping as YAML or JSON"
    return " ".join([PLAIN_NAMES.get(annotation, "path"), " and ".join(_bounds(metadata))]).strip()


def _bounds(metadata: Sequence[Any]) -> list[str]:
    pieces = [piece for item in metadata for piece in (item.metadata if isinstance(item, FieldInfo) else [item])]
    return [
        f"{sign} {getattr(piece, attribute)}"
        for piece in pieces
        for kind, (attribute, sign) in BOUND_SIGNS.items()
        if isinstance(piece, kind)
    ]


def value_text(value: Any) -> str:
    """Return a value as a remark about what holds without an option, in the words that options take."""
    if value is PydanticUndefined:
        return "must be set"
    if value is None:
        return "default: null"
    if isinstance(value, tuple):
        return f"default: {','.join(map(str, value)) or 'none'}"
    if isinstance(value, bool):
        return f"default: {str(value).lower()}"
    return f"default: {value}"
