"""Expectations of a batch, and the example, in the field that declares a column."""

from __future__ import annotations

import ast

from ml_project.data.raw_schema import ColumnRule
from scaffolding.field_keywords import differs, set_value
from scaffolding.schema_fields import ByHandError, SchemaSource


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
            _remove_expected(source, old.name, "mean_between")
            if after.mean_between is None
            else _set_pair(source, old.name, ("mean_between",), after.mean_between)
        )
    if before.share_between != after.share_between and after.share_between is None:
        return _remove_expected(source, old.name, "share_between")
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
    """Return the source in which a column's field gives no example."""
    return _remove_entry(source, _metadata(source, column), "example")


def _remove_expected(source: SchemaSource, column: str, name: str) -> SchemaSource:
    return _remove_entry(source, _expected(source, column, ()), name)


def _remove_entry(source: SchemaSource, node: ast.expr | None, name: str) -> SchemaSource:
    keys = node.keys if isinstance(node, ast.Dict) else []
    places = [place for place, key in enumerate(keys) if isinstance(key, ast.Constant) and key.value == name]
    if node is None or not places:
        raise ByHandError(f"remove {name} from the metadata")
    return source.remove_item(source.bracket(node), places[0])


def _metadata(source: SchemaSource, column: str) -> ast.expr | None:
    keyword = source.field(column).keyword("metadata")
    return None if keyword is None else keyword.value


def _expected(source: SchemaSource, column: str, path: tuple[str, ...]) -> ast.expr:
    """Return the value at a path in the field's expectations."""
    node = _metadata(source, column)
    for name in ("expectations", *path):
        pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
        node = next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == name), None)
    if node is None:
        raise ByHandError(f"change the expectation {(*path, 'expectations')[0]}")
    return node
