"""The smallest edit of a schema that a person wrote; everything else stays byte for byte."""

import difflib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_project.data.raw_schema import ColumnRule, RawSchema
from scaffolding.refreshing.left_out import left_out_columns
from scaffolding.refreshing.schema_edit import SchemaProposal, Wanted, propose_schema
from scaffolding.refreshing.schema_module import SchemaModule

MODULE = SchemaModule("user_schema", Path("user_schema.py"))
HEAD = """import datetime as dt
import re

import pandas as pd
import pandera.pandas as pa
from pandera import Field
from pandera.typing.pandas import Series

MOST = 9
PORTS = ["C", "S"]


def bounded(low, high):
    return pa.Field(ge=low, le=high)


class RawData(pa.DataFrameModel):
    '''One row.'''

"""


def schema_of(text: str) -> RawSchema:
    found = MODULE.read(text)
    assert found is not None, text
    return found


def propose(text: str, length: int = 120, **changes: object) -> SchemaProposal:
    """Propose the change of column x."""
    schema = schema_of(text)
    old = schema.rule("x")
    wanted = Wanted([(old, old.model_copy(update=changes))], {}, [], [], schema.names)
    return propose_schema(text, schema, wanted, read=MODULE.read, length=length)


def field(line: str) -> str:
    return f"{HEAD}    {line}\n    y: Series[int]\n"


def assert_edited(text: str, edited: str, **changes: object) -> None:
    found = propose(text, **changes)

    assert found.by_hand == {}
    assert found.text == edited
    assert schema_of(edited).rule("x") == schema_of(text).rule("x").model_copy(update=changes)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("x: Series[int] = pa.Field(ge=0, le=5)", "x: Series[int] = pa.Field(ge=0, le=9)", {"maximum": 9.0}),
        ("x: Series[int] = pa.Field( le = 5 )  # why", "x: Series[int] = pa.Field( le = 9 )  # why", {"maximum": 9.0}),
        ("x: Series[float] = Field(ge=0.5)", "x: Series[float] = Field(ge=-1.0)", {"minimum": -1.0}),
        ("x: float = pa.Field(ge=-1)", "x: float = pa.Field(ge=-2.5)", {"minimum": -2.5}),
        (
            "x: Series[float] = pa.Field(gt=0, le=5)",
            "x: Series[float] = pa.Field(ge=0, le=5)",
            {"exclusive_minimum": None, "minimum": 0.0},
        ),
        ("x: Series[int] = pa.Field(in_range=(0, 5))", "x: Series[int] = pa.Field(in_range=(0, 7))", {"maximum": 7.0}),
        (
            'x: Series[int] = pa.Field(in_range={"min_value": 0, "max_value": 5})',
            'x: Series[int] = pa.Field(in_range={"min_value": -1, "max_value": 5})',
            {"minimum": -1.0},
        ),
        (
            'x: Series[str] = pa.Field(isin=["b", "a"])',
            'x: Series[str] = pa.Field(isin=["b", "a", "c"])',
            {"allowed": ("b", "a", "c")},
        ),
        (
            "x: Series[str] = pa.Field(isin=('b',))",
            "x: Series[str] = pa.Field(isin=('b', \"it's\", 'c'))",
            {"allowed": ("b", "it's", "c")},
        ),
        ("x: Series[int] = pa.Field(eq=1)", "x: Series[int] = pa.Field(isin=[1, 2])", {"allowed": (1, 2)}),
        (
            "x: Series[int] = pa.Field(isin=[1, MOST])",
            "x: Series[int] = pa.Field(isin=[1, MOST, 3])",
            {"allowed": (1, 9, 3)},
        ),
        ("x: Series[int]", "x: Series[int] = pa.Field(nullable=True)", {"nullable": True}),
        ("x: Series[int] = pa.Field()", "x: Series[int] = pa.Field(nullable=True)", {"nullable": True}),
        (
            'x: Series[int] = pa.Field(ge=0, description="é, (")',
            'x: Series[int] = pa.Field(ge=0, nullable=True, description="é, (")',
            {"nullable": True},
        ),
        ("x: Series[int] = pa.Field(nullable=False)", "x: Series[int] = pa.Field(nullable=True)", {"nullable": True}),
        ("x: Series[int] = pa.Field(unique=True, ge=1)", "x: Series[int] = pa.Field(ge=1)", {"unique": False}),
        ("x: Series[int] = pa.Field(ge=1, unique=True)", "x: Series[int] = pa.Field(ge=1)", {"unique": False}),
        ("x: Series[int] = pa.Field(unique=True)", "x: Series[int] = pa.Field()", {"unique": False}),
        (
            'x: Series[str] = pa.Field(str_length={"max_value": 3}, str_matches="a")',
            'x: Series[str] = pa.Field(str_length={"max_value": 5})',
            {"max_length": 5, "pattern": None},
        ),
        ("x: Series[str] = pa.Field(str_length=(1, 3))", "x: Series[str] = pa.Field(str_length=(1, 5))",
         {"max_length": 5}),
        (
            "x: Series[str] = pa.Field(str_length=3)",
            'x: Series[str] = pa.Field(str_length={"min_value": 3, "max_value": 5})',
            {"max_length": 5},
        ),
        ("x: Series[int] = pa.Field(ge=0)", "x: Series[float] = pa.Field(ge=0)", {"kind": "number"}),
        ("x: Series[pd.Int64Dtype] = pa.Field(ge=0)", "x: Series[float] = pa.Field(ge=0)", {"kind": "number"}),
        ("x: int", "x: str", {"kind": "text"}),
        (
            "x: Series[int] = pa.Field(ge=0, le=9)",
            'x: Series[str] = pa.Field(isin=["a", "b"])',
            {"kind": "category", "minimum": None, "maximum": None, "allowed": ("a", "b")},
        ),
        (
            'x: Series[int] = pa.Field(alias="x", ge=0)',
            'x: Series[int] = pa.Field(alias="x", ge=0, nullable=True)',
            {"nullable": True},
        ),
    ],
)  # fmt: skip
def test_propose_schema_one_line_changes_only_what_is_meant(before, after, changes):
    assert_edited(field(before), field(after), **changes)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('pd.Timestamp("2020-01-01")', 'pd.Timestamp("2019-05-17")'),
        ("pd.Timestamp('2020-01-01')", "pd.Timestamp('2019-05-17')"),
        ('"2020-01-01"', '"2019-05-17"'),
        ("dt.datetime(2020, 1, 1)", "dt.datetime(2019, 5, 17)"),
        ("pd.Timestamp(2020, 1, 1, 12)", "pd.Timestamp(2019, 5, 17)"),
    ],
)
def test_propose_schema_date_is_written_as_before(before, after):
    import datetime

    assert_edited(
        field(f"x: Series[pd.Timestamp] = pa.Field(ge={before})"),
        field(f"x: Series[pd.Timestamp] = pa.Field(ge={after})"),
        earliest=datetime.datetime(2019, 5, 17),
    )


MULTI_LINE = """x: Series[float] = pa.Field(
        ge=0,  # never negative
        # the highest ever seen
        le=1_000,
        unique=True,  # each once
        description="A number.",
        metadata={
            "expectations": {"max_missing_rate": 0.1, "mean_between": (1, 2)},  # from last year
            "example": 5.0,
        },  # end
    )"""


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("le=1_000", "le=1500", {"maximum": 1500.0}),
        ("        unique=True,  # each once\n", "", {"unique": False}),
        (
            "        unique=True,  # each once\n",
            "        nullable=True,\n        unique=True,  # each once\n",
            {"nullable": True},
        ),
    ],
)
def test_propose_schema_many_lines_keep_comments_and_layout(old, new, changes):
    assert_edited(field(MULTI_LINE), field(MULTI_LINE).replace(old, new), **changes)


def test_propose_schema_expectations_change_in_place():
    old = schema_of(field(MULTI_LINE)).rule("x").expectations
    new = old.model_copy(update={"max_missing_rate": 0.25, "mean_between": (-1.0, 2.0)})

    edited = field(MULTI_LINE).replace("0.1,", "0.25,").replace("(1, 2)", "(-1, 2)")
    assert_edited(field(MULTI_LINE), edited, expectations=new)


def test_propose_schema_other_kind_removes_what_no_longer_holds():
    old = schema_of(field(MULTI_LINE)).rule("x")
    expectations = old.expectations.model_copy(update={"mean_between": None})

    found = propose(field(MULTI_LINE), kind="text", minimum=None, maximum=None, expectations=expectations, example=None)

    assert found.by_hand == {}
    assert "mean_between" not in found.text
    assert '"expectations": {"max_missing_rate": 0.1},  # from last year' in found.text
    assert "x: Series[str] = pa.Field(\n        # the highest ever seen\n        unique=True" in found.text


def test_propose_schema_metadata_without_entries_are_removed():
    line = 'x: Series[float] = pa.Field(le=5, metadata={"expectations": {"mean_between": (0, 1)}, "example": 2})'
    expectations = schema_of(field(line)).rule("x").expectations.model_copy(update={"mean_between": None})

    found = propose(field(line), kind="boolean", maximum=None, expectations=expectations, example=None)

    assert found.text == field("x: Series[bool] = pa.Field()")


@pytest.mark.parametrize(
    ("line", "changes", "words"),
    [
        ("x: Series[int] = pa.Field(le=MOST)", {"maximum": 20.0}, "le=MOST is computed; it must become 20"),
        ("x: Series[int] = pa.Field(le=3 * 3)", {"maximum": 20.0}, "le=3 * 3 is computed; it must become 20"),
        ("x: Series[int] = bounded(0, 5)", {"maximum": 9.0}, "it is made by bounded(0, 5)"),
        ("x: Series[int] = bounded(0, 5)", {"nullable": True}, "it is made by bounded(0, 5)"),
        ("x: Series[str] = pa.Field(isin=PORTS)", {"allowed": ("C", "S", "X")}, 'add "X" to the values allowed'),
        ("x: 'Series[int]' = pa.Field()", {"kind": "number"}, "change the type 'Series[int]' to float"),
        (
            "x: Series[pd.CategoricalDtype] = pa.Field(dtype_kwargs={'categories': ['a'], 'ordered': False})",
            {"allowed": ("a", "b")},
            'add "b" to the values allowed',
        ),
        (
            "x: Series[int] = pa.Field(**{'nullable': False, 'ge': 0})",
            {"nullable": True},
            "code in the file decides about it",
        ),
    ],
)
def test_propose_schema_computed_is_left_with_a_sentence(line, changes, words):
    found = propose(field(line), **changes)

    assert found.text == field(line)
    assert found.by_hand == {"x": words}


def test_propose_schema_part_by_hand_still_edits_the_rest():
    found = propose(field("x: Series[int] = pa.Field(ge=0, le=MOST)"), minimum=-3.0, maximum=20.0, nullable=True)

    assert found.text == field("x: Series[int] = pa.Field(ge=-3, le=MOST, nullable=True)")
    assert found.by_hand == {"x": "le=MOST is computed; it must become 20"}


def test_propose_schema_class_elsewhere_is_all_by_hand():
    text = "import pandera.pandas as pa\n\nRawData = pa.DataFrameModel\n"
    rule = ColumnRule(name="x", kind="integer")
    wanted = Wanted([(rule, rule.model_copy(update={"nullable": True}))], {}, [], [], ("x",))

    found = propose_schema(text, RawSchema(columns=(rule,)), wanted, read=MODULE.read, length=120)

    assert (found.text, found.by_hand) == (text, {"x": "the class RawData is not declared in this file"})


def test_propose_schema_field_of_base_class_in_the_file_is_edited_there():
    text = field("x: Series[int] = pa.Field(le=5)").replace("RawData", "Base")
    text += "\n\nclass RawData(Base):\n    z: Series[int]\n"

    assert propose(text, maximum=9.0).text == text.replace("le=5", "le=9")


def test_propose_schema_overridden_field_is_edited_where_it_counts():
    text = field("x: Series[int] = pa.Field(le=5)").replace("RawData", "Base")
    text += "\n\nclass RawData(Base):\n    x: Series[int] = pa.Field(le=5)\n"

    assert propose(text, maximum=9.0).text == text.removesuffix("le=5)\n") + "le=9)\n"


def test_propose_schema_line_too_long_is_broken_as_ruff_does():
    line = f'x: Series[str] = pa.Field(isin=["a", "b"], description="{"d" * 40}")'

    found = propose(field(line), length=len(line) + 5, allowed=("a", "b", "ccc"))

    assert found.text == field(
        "x: Series[str] = pa.Field(\n"
        f'        isin=["a", "b", "ccc"], description="{"d" * 40}"\n'
        "    )"
    )  # fmt: skip


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_propose_schema_line_ends_and_mark_stay(ends, mark):
    text = mark + field("x: Series[int] = pa.Field(\n        le=5,\n    )").replace("\n", ends)

    assert propose(text, maximum=9.0, nullable=True).text == text.replace(
        f"le=5,{ends}", f"le=9,{ends}        nullable=True,{ends}"
    )


def test_propose_schema_mixed_line_ends_are_left():
    text = field("x: Series[int] = pa.Field(le=5)").replace("MOST = 9\n", "MOST = 9\r\n")

    found = propose(text, maximum=9.0)

    assert (found.text, found.by_hand) == (text, {"x": "the file's lines end in different ways"})


COLUMNS = """    # the first
    a: Series[int] = pa.Field(alias="A a")
    '''Documents a.'''
    # of b
    b: Series[str] = pa.Field(
        isin=["x"],
    )  # b's end
    c: Series[float]
"""


def rearrange(text: str, **wanted: object) -> SchemaProposal:
    usual = {"changed": [], "renamed": {}, "added": [], "removed": [], "order": ["A a", "b", "c"]}
    return propose_schema(text, schema_of(text), Wanted(**{**usual, **wanted}), read=MODULE.read, length=120)


@pytest.mark.parametrize(
    ("order", "before"),
    [
        (["new", "A a", "b", "c"], "    # the first\n"),
        (["A a", "new", "b", "c"], "    # of b\n"),
        (["A a", "b", "new", "c"], "    c: Series"),
        (["b", "unknown", "new"], "    c: Series"),
    ],
)
def test_propose_schema_new_column_stands_beside_its_neighbour(order, before):
    added = ColumnRule(name="new", kind="integer", minimum=0, maximum=5)

    found = rearrange(HEAD + COLUMNS, added=[added], order=order)

    line = "    new: Series[int] = pa.Field(ge=0, le=5)\n"
    assert found.text == HEAD + COLUMNS.replace(before, line + before)


def test_propose_schema_new_column_without_line_end_below_goes_last():
    found = rearrange(
        (HEAD + COLUMNS).removesuffix("\n"), added=[ColumnRule(name="a b", kind="boolean")], order=["c", "a b"]
    )

    assert found.text == HEAD + COLUMNS + '    a_b: Series[bool] = pa.Field(alias="a b")\n'


@pytest.mark.parametrize(
    ("before", "length", "after"),
    [
        ("    x: Series[int]\n", 120, '    # left out: "a, b", c d\n    x: Series[int]\n'),
        ("    # of x\n    x: Series[int]\n", 120, '    # left out: "a, b", c d\n    # of x\n    x: Series[int]\n'),
        ("    x: Series[int]\n    # left out: q\n", 120, '    x: Series[int]\n    # left out: q, "a, b", c d\n'),
        ("    # left out: q\n    x: Series[int]\n", 28, '    # left out: q, "a, b"\n    # left out: c d\n    x: Ser'),
    ],
)
def test_propose_schema_columns_of_no_use_are_named_in_a_comment(before, length, after):
    text = f"{HEAD}{before}"
    names = ["a, b", "c d"]
    found = propose_schema(
        text, schema_of(text), Wanted([], {}, [], [], ["x"], left_out=names), read=MODULE.read, length=length
    )

    assert found.by_hand == {}
    assert after in found.text
    assert left_out_columns(found.text)[-2:] == names


@pytest.mark.parametrize("name", ["a\nb", " a"])
def test_propose_schema_column_that_no_comment_can_name_is_by_hand(name):
    text = f"{HEAD}    x: Series[int]\n"
    found = propose_schema(text, schema_of(text), Wanted([], {}, [], [], ["x"], [name]), read=MODULE.read, length=120)

    assert found.text == text
    assert "cannot stand in a comment" in found.by_hand[name]


def test_propose_schema_new_column_named_as_a_taken_attribute_gets_another():
    found = rearrange(HEAD + COLUMNS, added=[ColumnRule(name="a", kind="boolean")], order=["A a", "a"])

    assert found.by_hand == {}
    assert schema_of(found.text).names == ("A a", "a", "b", "c")


def test_propose_schema_new_date_imports_pandas_and_uses_the_files_own_names():
    text = (HEAD + COLUMNS).replace("import pandas as pd\n", "").replace("pa.Field(alias", "Field(alias")

    found = rearrange(text, added=[ColumnRule(name="d", kind="datetime", nullable=True)], order=["c", "d"])

    assert found.by_hand == {}
    assert "import pandas as pd\nimport pandera.pandas as pa\n" in found.text
    assert found.text.endswith("    d: Series[pd.Timestamp] = Field(nullable=True)\n")


def test_propose_schema_column_gone_takes_its_whole_declaration():
    found = rearrange(HEAD + COLUMNS, removed=["A a", "b"])

    assert found.text == f"{HEAD}    # the first\n    # of b\n    c: Series[float]\n"


def test_propose_schema_only_column_gone_is_by_hand():
    text = f"{HEAD}    c: Series[float]\n".replace("    '''One row.'''\n\n", "")

    found = rearrange(text, removed=["c"])

    assert (found.text, list(found.by_hand)) == (text, ["c"])


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("c", "count", "c: Series[float]", "count: Series[float]"),
        ("c", "C c", "c: Series[float]", 'c: Series[float] = pa.Field(alias="C c")'),
        ("A a", "Aa", 'alias="A a"', 'alias="Aa"'),
        ("b", "B", "b: Series[str]", "B: Series[str]"),
    ],
)
def test_propose_schema_renamed_column_keeps_its_declaration(old, new, before, after):
    found = rearrange(HEAD + COLUMNS, renamed={old: new})

    assert found.text == HEAD + COLUMNS.replace(before, after)


STYLES = st.sampled_from(
    [
        "{name}: Series[{type}] = pa.Field({keywords})",
        "{name}: Series[{type}] = pa.Field({keywords},)  # note, (",
        "{name}: {type} = Field(\n        {lines},\n    )",
        "{name}: Series[{type}] = pa.Field(\n        {lines}\n    )",
        "{name}: Series[{type}] = pa.Field({aligned})",
        "# above {name}\n    {name}: Series[{type}] = pa.Field(\n        {comments}\n    )  # below",
    ]
)
NUMBERS = st.integers(-999, 999)


@st.composite
def declarations(draw: st.DrawFn) -> str:
    lines = []
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)):
        keywords = [
            f"ge={draw(NUMBERS)}",
            f"le = {draw(NUMBERS)}.5",
            "unique=True",
            "nullable=False",
            'description="Größe, ] #1"',
            'metadata={"expectations": {"max_missing_rate": 0.5, "mean_between": (0, 1.5)}}',
        ]
        chosen = draw(st.permutations(draw(st.lists(st.sampled_from(keywords), min_size=1, unique=True))))
        lines.append(
            draw(STYLES).format(
                name=name,
                type=draw(st.sampled_from(["int", "float"])),
                keywords=", ".join(chosen),
                lines=",\n        ".join(chosen),
                aligned=",\n                   ".join(chosen),
                comments="".join(f"{keyword},  # of {name}, {keyword[:2]}\n        " for keyword in chosen).rstrip(),
            )
        )
    return HEAD + "".join(f"    {line}\n" for line in lines)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=declarations(), data=st.data())
def test_propose_schema_any_style_says_what_is_wanted_and_keeps_the_rest(text, data):
    schema = schema_of(text)
    changed = []
    for old in schema.columns:
        update = {"nullable": True, "unique": False}
        if data.draw(st.booleans()):
            update |= {"minimum": None if old.minimum is None else old.minimum - 1, "kind": "number"}
        if old.expectations.mean_between and data.draw(st.booleans()):
            update["expectations"] = old.expectations.model_copy(update={"mean_between": (-4.0, 1.5)})
        changed.append((old, old.model_copy(update=update)))
    wanted = Wanted(changed, {}, [], [], schema.names)

    found = propose_schema(text, schema, wanted, read=MODULE.read, length=300)

    assert found.by_hand == {}
    assert schema_of(found.text).columns == tuple(new for _, new in changed)
    before, after = text.splitlines(), found.text.splitlines()
    removed = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("- ")]
    touched = ("Series", "Field", "ge=", "unique", "nullable", "mean_between", "description", "le =")
    assert all(any(word in line for word in touched) for line in removed)
    assert [line for line in before if line.strip().startswith("#")] == [
        line for line in after if line.strip().startswith("#")
    ]


WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=12, unique=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(allowed=WORDS, added=WORDS, description=st.integers(0, 90), has_metadata=st.booleans())
def test_propose_schema_formatted_source_stays_as_ruff_formats_it(allowed, added, description, has_metadata):
    metadata = ', metadata={"expectations": {"share_between": {"a": (0, 1)}}}' if has_metadata else ""
    keywords = f'isin={allowed!r}, description="{"d" * description}"{metadata}'
    text = ruff_format(field(f"x: Series[str] = pa.Field({keywords})  # why"))
    every = tuple(dict.fromkeys([*allowed, *added]))

    found = propose(text, allowed=every, nullable=True)

    assert found.by_hand == {}
    assert schema_of(found.text).rule("x").allowed == every
    assert ruff_format(found.text) == found.text


def ruff_format(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--config=line-length=120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
