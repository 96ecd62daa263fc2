"""The schema of the raw data as Python source: the inverse of ``ml_project.data.schema_reader.read_schema``."""

from __future__ import annotations

from collections.abc import Iterator

from ml_project.data.raw_schema import BatchExpectations, ColumnKind, ColumnRule, RawSchema
from scaffolding.writing.attribute_names import attribute_names
from scaffolding.writing.formatting import allow_lookalikes, format_source
from scaffolding.writing.literals import literal, moment_literal, number_literal, pattern_literal, text_literal

MODULE_DOCSTRING = '''\
"""The raw data of this project: the only place that names its columns' types, ranges, categories and missing values.

Everything else follows from it: the coercion of incoming values, the check of tables and of single records, the JSON
Schema of the service. ``metadata={"expectations": {...}}`` states what a whole batch is expected to show.
"""
'''

_TYPES: dict[ColumnKind, str] = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "category": "str",
    "text": "str",
    "datetime": "pd.Timestamp",
}


def schema_source(schema: RawSchema, *, docstring: str) -> str:
    """Return the module that declares a schema as a pandera model.

    Parameters
    ----------
    schema
        Rules of all columns.
    docstring
        What one row is, in a sentence.

    Returns
    -------
    str
        Source that ruff, isort and mypy have nothing to say about. Its class ``RawData``, read by
        :func:`ml_project.data.schema_reader.read_schema`, gives the same schema again.
    """
    attributes = attribute_names(schema.names)
    has_times = any(rule.kind == "datetime" for rule in schema.columns)
    imports = [
        *(["import pandas as pd"] if has_times else []),
        "import pandera.pandas as pa",
        "from pandera.typing.pandas import Series",
    ]
    fields = [_field(rule, attributes[rule.name]) for rule in schema.columns]
    body = [_docstring(docstring), "", *fields]
    lines = [MODULE_DOCSTRING, *imports, "", "", "class RawData(pa.DataFrameModel):", *(f"    {line}" for line in body)]
    return allow_lookalikes(format_source("\n".join(lines)))


def field_source(rule: ColumnRule, name: str) -> str:
    r"""Return the lines that declare one column, indented as they stand in the class.

    Parameters
    ----------
    rule
        The column's rule.
    name
        The attribute that declares it, see :func:`attribute_names`.

    Examples
    --------
    >>> field_source(ColumnRule(name="Age (years)", kind="number", minimum=0), "age_years")
    '    age_years: Series[float] = pa.Field(alias="Age (years)", ge=0)\n'
    """
    return format_source(f"class RawData:\n    {_field(rule, name)}\n").partition("\n")[2]


def _docstring(text: str) -> str:
    one_line = " ".join(text.split()).replace("\\", "/").replace('"', "'")
    return f'"""{one_line}"""'


def _field(rule: ColumnRule, name: str) -> str:
    keywords = ", ".join(f"{keyword}={value}" for keyword, value in _keywords(rule, name))
    return f"{name}: Series[{_TYPES[rule.kind]}]" + (f" = pa.Field({keywords})" if keywords else "")


def _keywords(rule: ColumnRule, name: str) -> Iterator[tuple[str, str]]:
    """Yield the keyword arguments of a column's field, as source."""
    if rule.name != name:
        yield "alias", text_literal(rule.name)
    yield from _bounds(rule)
    if rule.allowed is not None:
        yield "isin", f"[{', '.join(map(literal, rule.allowed))}]"
    if rule.pattern is not None:
        yield "str_matches", pattern_literal(rule.pattern)
    lengths = {"min_value": rule.min_length, "max_value": rule.max_length}
    given = {bound: length for bound, length in lengths.items() if length is not None}
    if given:
        yield "str_length", repr(given)
    if rule.nullable:
        yield "nullable", "True"
    if rule.unique:
        yield "unique", "True"
    if rule.description is not None:
        yield "description", text_literal(rule.description)
    metadata = _metadata(rule)
    if metadata:
        yield "metadata", f"{{{', '.join(metadata)}}}"


def _bounds(rule: ColumnRule) -> Iterator[tuple[str, str]]:
    numbers = {"ge": rule.minimum, "gt": rule.exclusive_minimum, "le": rule.maximum, "lt": rule.exclusive_maximum}
    yield from ((keyword, number_literal(bound)) for keyword, bound in numbers.items() if bound is not None)
    moments = {"ge": rule.earliest, "le": rule.latest}
    yield from ((keyword, moment_literal(moment)) for keyword, moment in moments.items() if moment is not None)


def _metadata(rule: ColumnRule) -> list[str]:
    expectations = list(_expectations(rule.expectations))
    entries = [f'"expectations": {{{", ".join(expectations)}}}'] if expectations else []
    return entries + ([] if rule.example is None else [f'"example": {literal(rule.example)}'])


def _expectations(expected: BatchExpectations) -> Iterator[str]:
    if expected.max_missing_rate is not None:
        yield f'"max_missing_rate": {number_literal(expected.max_missing_rate)}'
    if expected.mean_between is not None:
        yield f'"mean_between": {_pair(expected.mean_between)}'
    if expected.share_between is not None:
        shares = (f"{text_literal(value)}: {_pair(share)}" for value, share in expected.share_between.items())
        yield f'"share_between": {{{", ".join(shares)}}}'


def _pair(ends: tuple[float, float]) -> str:
    return f"({number_literal(ends[0])}, {number_literal(ends[1])})"
