"""Expectations of a batch, and the example, in the field that declares a column."""

from __future__ import annotations

import ast

from ml_project.data.raw_schema import ColumnRule
from scaffolding.refreshing.field_keywords import differs, remove_keyword, set_value
from scaffolding.refreshing.schema_fields import ByHandError, SchemaSource


def set_expectations(source: SchemaSource, old: ColumnRule, new: ColumnRule) -> SchemaSource:
    """Return the source in which a column's field states what its new rule expects of a batch.

    Raises
    ------
    ByHandError
        When an expectation is computed.
    """
    before, after = old.expectations, new.expectations
    if after.max_missing_rate is not None and before.max_missing_rate != after.max_missing_rate:
        source = _set_expected(source, old.name, ("max_missing_rate",), after.max_missing_rate)
    if before.mean_between != after.mean_between:
        source = (
            _remove(source, old.name, ("expectations", "mean_between"))
            if after.mean_between is None
            else _set_pair(source, old.name, ("mean_between",), after.mean_between)
        )
    if before.share_between != after.share_between and after.share_between is None:
        return _remove(source, old.name, ("expectations", "share_between"))
    for value, share in (after.share_between or {}).items():
        if (before.share_between or {}).get(value) != share:
            source = _set_pair(source, old.name, ("share_between", value), share)
    return source


def _set_pair(source: SchemaSource, column: str, path: tuple[str, ...], pair: tuple[float, float]) -> SchemaSource:
    for place, value in enumerate(pair):
        node = _expected(source, column, path)
        if not isinstance(node, ast.Tuple | ast.List):
            raise ByHandError(f"{path[-1]} is computed; it must become {pair}")
        if differs(source, node.elts[place], value):
            source = set_value(source, path[-1], node.elts[place], value)
    return source


def _set_expected(source: SchemaSource, column: str, path: tuple[str, ...], value: float) -> SchemaSource:
    return set_value(source, path[-1], _expected(source, column, path), value)


def remove_example(source: SchemaSource, column: str) -> SchemaSource:
    """Return the source in which a column's field gives no example, and no empty metadata.

    Raises
    ------
    ByHandError
        When the metadata are computed.
    """
    return _remove(source, column, ("example",))


def _remove(source: SchemaSource, column: str, path: tuple[str, ...]) -> SchemaSource:
    """Return the source in which the field's metadata lack the entry at a path, and what would be empty without it."""
    if not path:
        return remove_keyword(source, column, "metadata")
    node = _entry(source, column, path[:-1])
    keys = node.keys if isinstance(node, ast.Dict) else []
    places = [place for place, key in enumerate(keys) if isinstance(key, ast.Constant) and key.value == path[-1]]
    if node is None or not places:
        raise ByHandError(f"remove {path[-1]} from the metadata")
    if len(keys) == 1:
        return _remove(source, column, path[:-1])
    return source.remove_item(source.bracket(node), places[0])


def _entry(source: SchemaSource, column: str, path: tuple[str, ...]) -> ast.expr | None:
    """Return the value at a path in the field's metadata, ``None`` where it cannot be found."""
    keyword = source.field(column).keyword("metadata")
    node = None if keyword is None else keyword.value
    for name in path:
        pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
        node = next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == name), None)
    return node


def _expected(source: SchemaSource, column: str, path: tuple[str, ...]) -> ast.expr:
    """Return the value at a path in the field's expectations."""
    node = _entry(source, column, ("expectations", *path))
    if node is None:
        raise ByHandError(f"change the expectation {path[0]}")
    return node
