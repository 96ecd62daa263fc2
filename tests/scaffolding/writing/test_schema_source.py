"""The schema's source: the exact inverse of reading it, clean for every checker, whatever the columns are called."""

import datetime as dt
import keyword
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ml_project.data.raw_schema import BatchExpectations, ColumnRule, RawSchema
from ml_project.data.schema_reader import read_schema
from scaffolding.writing.attribute_names import attribute_names
from scaffolding.writing.schema_source import field_source, schema_source

REPOSITORY = Path(__file__).parents[3]
AWKWARD_NAMES = (
    *(
        "class",
        "None",
        "2nd",
        "o'clock",
        'the "best"',
        "Größe (cm)",
        "größe",
        "a b",
        "a.b",
        "a_b",
        "a-b",
        "_id",
        "__init__",
    ),
    *(
        "Config",
        "validate",
        "to_schema",
        "example",
        "empty",
        "int",
        "str",
        "pd",
        "Series",
        "l",
        "customerID",
        "id",
        " ",
    ),
    *(
        "!",
        "\t",
        "a\nb",
        "\\",
        "価格",
        "\N{LATIN SMALL LIGATURE FI}",
        "\xd7",
        "\N{MINUS SIGN}",
        "x" * 300,
        "e\u0301",
        "\xe9",
    ),
    *("{{ name }}", "%s", "#"),
)
names = st.one_of(
    st.sampled_from(AWKWARD_NAMES), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
numbers = st.floats(allow_nan=False, allow_infinity=False)
patterns = st.sampled_from([r"[A-Z]\d{4}$", "a|b", r"\\", r"""['"]\s""", "(?i)ab\n", r"\w{3}" * 60, "\\" + "\\"])
moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))
few = {"max_size": 4}


def maybe(strategy):
    return st.none() | strategy


def pairs():
    return st.tuples(numbers, numbers)


def rules(name):
    """Return a strategy of the rules of one column, of all kinds."""
    numeric = {side: maybe(numbers) for side in ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum")}
    allowed = {"category": texts, "integer": st.integers(), "number": numbers, "boolean": st.booleans()}
    own = {
        "integer": numeric,
        "number": numeric,
        "boolean": {},
        "category": {},
        "text": {
            "pattern": maybe(patterns),
            "min_length": maybe(st.integers(0, 9)),
            "max_length": maybe(st.integers(9, 99)),
        },
        "datetime": {"earliest": maybe(moments), "latest": maybe(moments)},
    }

    def of_kind(kind):
        values = st.lists(allowed[kind], min_size=1, **few).map(tuple) if kind in allowed else st.none()
        means = {"mean_between": maybe(pairs())} if kind in {"integer", "number"} else {}
        shares = {"max_missing_rate": maybe(numbers), "share_between": maybe(st.dictionaries(texts, pairs(), **few))}
        return st.builds(
            ColumnRule,
            name=st.just(name),
            kind=st.just(kind),
            nullable=st.booleans(),
            unique=st.booleans(),
            allowed=values if kind == "category" else maybe(values),
            description=maybe(texts),
            example=maybe(st.one_of(texts, st.integers(), numbers, st.booleans())),
            expectations=st.builds(BatchExpectations, **shares, **means),
            **own[kind],
        )

    return st.sampled_from(sorted(own)).flatmap(of_kind)


schemas = (
    st.lists(names, min_size=1, max_size=4, unique=True)
    .flatmap(lambda chosen: st.tuples(*map(rules, chosen)))
    .map(lambda columns: RawSchema(columns=columns))
)


def run(source):
    namespace = {"__name__": "written_schema"}
    exec(compile(source, "schema.py", "exec"), namespace)  # noqa: S102  what a project does when it imports the file
    return read_schema(namespace["RawData"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schemas)
@example(RawSchema(columns=tuple(ColumnRule(name=name, kind="number") for name in AWKWARD_NAMES)))
def test_schema_source_of_any_schema_reads_back_as_the_same(schema):
    assert run(schema_source(schema, docstring="One row.")) == schema


def test_schema_source_of_the_example_is_its_file():
    from tests.example.schema import RawData

    written = schema_source(read_schema(RawData), docstring=RawData.__doc__)
    assert written == (REPOSITORY / "tests/example/schema.py").read_text(encoding="utf-8")


def test_schema_source_of_awkward_words_is_clean_for_every_checker(tmp_path):
    description = (
        'Größe \xd7 Breite \u2013 "as given", \u202e turned\nround; \\ and {{ braces }}, '
        + "a long story " * 20
        + "語" * 200
    )
    columns = tuple(
        ColumnRule(
            name=name,
            kind="category",
            allowed=(description, "a"),
            description=description,
            example="\N{CYRILLIC SMALL LETTER A}" * 300,
        )
        for name in AWKWARD_NAMES
    )
    dated = ColumnRule(name="day", kind="datetime", earliest=dt.datetime(2020, 1, 1))
    (tmp_path / "schema.py").write_text(
        schema_source(RawSchema(columns=(*columns, dated)), docstring='One \\ """ row.')
    )
    config = f"--config={REPOSITORY / 'pyproject.toml'}"
    for command in (
        ["ruff", "check", "--no-cache", config, "schema.py"],
        ["ruff", "format", "--no-cache", "--check", config, "schema.py"],
        ["isort", "--check", f"--settings-path={REPOSITORY}", "schema.py"],
        ["mypy", f"--config-file={REPOSITORY / 'pyproject.toml'}", "--cache-dir=/dev/null", "schema.py"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@given(st.lists(names, max_size=8, unique=True))
@example(list(AWKWARD_NAMES))
def test_attribute_names_of_any_columns_are_legal_public_and_different(columns):
    found = attribute_names(columns)
    assert list(found) == columns
    assert len(set(found.values())) == len(columns)
    for attribute in found.values():
        assert attribute.isidentifier()
        assert attribute.isascii()
        assert not attribute.startswith("_")
        assert not keyword.iskeyword(attribute)


@pytest.mark.parametrize(
    ("column", "attribute"),
    [
        ("MonthlyCharges", "MonthlyCharges"),
        ("customerID", "customer_id"),
        ("Customer ID", "customer_id"),
        ("Größe (cm)", "groesse_cm"),
        ("prix €/m²", "prix_m2"),
        ("class", "class_"),
        ("Config", "config"),
        ("example", "example_"),
        ("int", "int_"),
        ("2nd floor", "column_2nd_floor"),
        ("_id", "id"),
        ("???", "column"),
    ],
)
def test_attribute_names_of_a_column_is_readable(column, attribute):
    assert attribute_names([column]) == {column: attribute}


def test_attribute_names_that_would_clash_are_numbered_and_the_plain_one_keeps_its_name():
    assert attribute_names(["a b", "a.b", "a_b"]) == {"a b": "a_b_2", "a.b": "a_b_3", "a_b": "a_b"}


def test_field_source_is_the_columns_lines_in_the_class():
    rule = ColumnRule(name="Port", kind="category", allowed=("C", "Q"), nullable=True, description="Where it began.")
    field = 'pa.Field({}isin=["C", "Q"], nullable=True, description="Where it began.")'
    assert field_source(rule, "port_") == f"    port_: Series[str] = {field.format('alias="Port", ')}\n"
    assert f"    Port: Series[str] = {field.format('')}\n" in schema_source(
        RawSchema(columns=(rule,)), docstring="A ship."
    )
