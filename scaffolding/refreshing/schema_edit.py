"""Propose the smallest edit of the source of the project's schema with which it fits the data again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ml_project.data.raw_schema import ColumnRule, RawSchema
from scaffolding.refreshing.field_edits import edit_field
from scaffolding.refreshing.field_placing import add_field, remove_field, rename_field, with_imports
from scaffolding.refreshing.left_out import add_left_out
from scaffolding.refreshing.line_breaking import break_long_lines
from scaffolding.refreshing.schema_fields import ByHandError, SchemaSource

Rules = dict[str, ColumnRule]
Edit = Callable[[SchemaSource], SchemaSource]

_TOGETHER = (
    ("kind", "allowed", "example"),
    ("minimum", "exclusive_minimum"),
    ("maximum", "exclusive_maximum"),
    ("min_length", "max_length"),
)
"""Fields of a rule that change in one step."""


@dataclass(frozen=True)
class Wanted:
    """What the schema shall say.

    Attributes
    ----------
    changed
        Rules as they are and as they shall be, of the same name; of a renamed column, its new one.
    renamed
        New names by column.
    added
        Rules of new columns.
    removed
        Columns that are gone.
    order
        All columns of the table in its order: where new ones belong.
    left_out
        New columns that are of no use.
    """

    changed: Sequence[tuple[ColumnRule, ColumnRule]]
    renamed: Mapping[str, str]
    added: Sequence[ColumnRule]
    removed: Sequence[str]
    order: Sequence[str]
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class SchemaProposal:
    """An edited source.

    Attributes
    ----------
    text
        The source after the edit.
    by_hand
        By column: what the edit could not do.
    """

    text: str
    by_hand: Mapping[str, str]


@dataclass(frozen=True)
class _Step:
    """The edit for one column, and the rules that the schema has after it."""

    column: str
    edit: Edit
    expected: Callable[[Rules], Rules]


def propose_schema(
    text: str, schema: RawSchema, wanted: Wanted, *, read: Callable[[str], RawSchema | None], length: int
) -> SchemaProposal:
    """Return the source of the schema with the edits that are wanted and can be made.

    Parameters
    ----------
    text
        Source as the user wrote it.
    schema
        What it says.
    wanted
        What it shall say.
    read
        Reads a schema from source. An edit after which the schema does not say exactly what is wanted is dropped.
    length
        Longest line.
    """
    plain = text.replace("\r\n", "\n")
    has_cr = plain != text
    if "\r" in plain or (has_cr and plain.replace("\n", "\r\n") != text):
        return SchemaProposal(text, dict.fromkeys(_columns(wanted), "the file's lines end in different ways"))
    steps, rules = _steps(wanted, length), {rule.name: rule for rule in schema.columns}
    mark, body = ("\ufeff", plain[1:]) if plain.startswith("\ufeff") else ("", plain)
    source, by_hand, expected = _apply(SchemaSource(body), steps, rules)
    if not _says(source, expected, read):
        source, by_hand = _apply_one_by_one(SchemaSource(body), steps, rules, read)
    edited = mark + source.text
    return SchemaProposal(edited.replace("\n", "\r\n") if has_cr else edited, by_hand)


def _columns(wanted: Wanted) -> list[str]:
    changed, added = [new.name for _, new in wanted.changed], [rule.name for rule in wanted.added]
    return [*wanted.renamed, *changed, *added, *wanted.left_out, *wanted.removed]


def _steps(wanted: Wanted, length: int) -> list[_Step]:
    steps = [_renaming(old, new, length) for old, new in wanted.renamed.items()]
    steps += [step for old, new in wanted.changed for step in _changing(old, new, length)]
    steps += [_adding(rule, wanted.order, length) for rule in wanted.added]
    steps += [_leaving_out(column, length) for column in wanted.left_out]
    return steps + [_removing(column) for column in wanted.removed]


def _apply(source: SchemaSource, steps: Sequence[_Step], rules: Rules) -> tuple[SchemaSource, dict[str, str], Rules]:
    by_hand: dict[str, list[str]] = {}
    for step in steps:
        try:
            source, rules = step.edit(source), step.expected(rules)
        except ByHandError as error:
            by_hand.setdefault(step.column, []).append(str(error))
    return source, {column: "; ".join(dict.fromkeys(texts)) for column, texts in by_hand.items()}, rules


def _apply_one_by_one(
    source: SchemaSource, steps: Sequence[_Step], rules: Rules, read: Callable[[str], RawSchema | None]
) -> tuple[SchemaSource, dict[str, str]]:
    by_hand: dict[str, str] = {}
    for step in steps:
        edited, refused, expected = _apply(source, [step], rules)
        if refused or not _says(edited, expected, read):
            by_hand[step.column] = refused.get(step.column, "code in the file decides about it")
        else:
            source, rules = edited, expected
    return source, by_hand


def _says(source: SchemaSource, expected: Rules, read: Callable[[str], RawSchema | None]) -> bool:
    found = read(source.text)
    return found is not None and {rule.name: rule for rule in found.columns} == expected


def _changing(old: ColumnRule, new: ColumnRule, length: int) -> Iterator[_Step]:
    """Yield the steps from a rule to another: as many as can be made one without the other."""
    if old.kind != new.kind:
        yield _change(old, new, set(ColumnRule.model_fields), length)
        return
    single = [{name} for name in ColumnRule.model_fields if not any(name in names for names in _TOGETHER)]
    for names in (*map(set, _TOGETHER), *single):
        if any(getattr(old, name) != getattr(new, name) for name in names):
            yield _change(old, new, names, length)


def _change(old: ColumnRule, new: ColumnRule, names: set[str], length: int) -> _Step:
    update = {name: getattr(new, name) for name in names}

    def edit(source: SchemaSource) -> SchemaSource:
        ready = with_imports(source, new) if old.kind != new.kind else source
        edited = edit_field(ready, old, old.model_copy(update=update))
        return edited if edited.text == source.text else _broken(edited, new.name, length)

    return _Step(new.name, edit, lambda rules: {**rules, new.name: rules[new.name].model_copy(update=update)})


def _renaming(old: str, new: str, length: int) -> _Step:
    def expected(rules: Rules) -> Rules:
        kept = {name: rule for name, rule in rules.items() if name != old}
        return {**kept, new: rules[old].model_copy(update={"name": new})}

    return _Step(old, lambda source: _broken(rename_field(source, old, new), new, length), expected)


def _adding(rule: ColumnRule, order: Sequence[str], length: int) -> _Step:
    def edit(source: SchemaSource) -> SchemaSource:
        return _broken(add_field(with_imports(source, rule), rule, order), rule.name, length)

    return _Step(rule.name, edit, lambda rules: {**rules, rule.name: rule})


def _leaving_out(column: str, length: int) -> _Step:
    return _Step(column, lambda source: add_left_out(source, column, length), lambda rules: rules)


def _removing(column: str) -> _Step:
    return _Step(
        column,
        lambda source: remove_field(source, column),
        lambda rules: {name: rule for name, rule in rules.items() if name != column},
    )


def _broken(source: SchemaSource, column: str, length: int) -> SchemaSource:
    if all(len(line) <= length for line in source.text.split("\n")):
        return source
    return SchemaSource(break_long_lines(source.text, source.lines_of(source.field(column)), length))
