"""Which texts mean a missing value in a table: the same ones in all columns, and never a class of the target."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_project.data.distinct import distinct_values
from scaffolding.profiling.column_kinds import MARKERS, find_kind
from scaffolding.words import counted, listed, share_text

if TYPE_CHECKING:
    import pandas as pd

WORDS = frozenset({"missing", "Missing", "unknown", "Unknown", "none", "NONE", "nil", "NIL"})
"""Marks that are words, which are categories where they stand among texts."""
MIN_SHARE_OF_CATEGORY = 0.05
"""From that share of rows on, a text that counts as missing may be a category."""
MOST_NAMED = 5

Rows = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class MissingTexts:
    """What means a missing value.

    Attributes
    ----------
    values
        The texts, for ``data.missing_values``.
    in_target
        Those that the target holds.
    warnings
        What was decided, in whole sentences.
    """

    values: tuple[str, ...]
    in_target: tuple[str, ...]
    warnings: tuple[str, ...]


def find_missing_texts(frame: pd.DataFrame, target: str, given: Collection[str]) -> MissingTexts:
    """Return the texts that mean a missing value.

    Usual marks such as ``-`` do where they stand among numbers, dates or booleans, unless a column of texts has the
    same word. A text among the classes of the target does only where numbers of the table are missing by it, too.

    Parameters
    ----------
    frame
        Table of shape ``(n_rows, n_columns)`` as a source gives it.
    target
        Column to predict.
    given
        Texts that mean a missing value by default.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": ["1", "-", "2"], "y": ["yes", "no", "None"]})
    >>> find_missing_texts(frame, "y", ("", "None")).values
    ('', '-')
    """
    held = {name: rows for name in map(str, frame.columns) if (rows := _usual_marks(frame[name], given))}
    kinds = {
        name: find_kind(frame[name], {*given, *rows}, texts_stay=name == target).kind for name, rows in held.items()
    }
    if kinds.get(target) == "boolean":
        kinds[target] = "text"
    among_texts = _by_text({name: rows for name, rows in held.items() if kinds[name] == "text"})
    among_values = _by_text({name: rows for name, rows in held.items() if kinds[name] not in {"text", None}})
    classes = {text for text, rows in among_texts.items() if target in rows}
    new = sorted(set(among_values) - set(given))
    refused = {text for text in new if text in classes or (text in WORDS and text in among_texts)}
    kept = classes - (set(among_values) & set(given))
    values = (*(text for text in given if text not in kept), *(text for text in new if text not in refused))
    in_target = tuple(sorted(set(held.get(target, ())) & set(values)))
    warnings = (
        *(_taken(text, among_values[text]) for text in new if text not in refused),
        *(_left(text, among_values[text], among_texts[text]) for text in sorted(refused)),
        *(_class(text, among_texts[text][target], target) for text in sorted(kept - refused)),
        *(_no_class(text, held[target][text], target) for text in in_target if text in classes),
        *_may_be_categories({text: among_texts[text] for text in among_texts if text in values}, target, len(frame)),
    )
    return MissingTexts(values, in_target, warnings)


def _usual_marks(values: pd.Series[Any], given: Collection[str]) -> dict[str, int]:
    """Return the marks of a column of texts with their rows; none where it has nothing else."""
    distinct = distinct_values(values, "text")
    if not distinct.only_texts:
        return {}
    usual = (MARKERS | set(given)) - {""}
    n_values = len(distinct.values)
    rows = np.ones(n_values, dtype=np.int64)
    if distinct.codes is not None:
        rows = np.bincount(distinct.codes + 1, minlength=n_values + 1)[1:]
    found: Counter[str] = Counter()
    others = False
    for text, n_rows in zip(distinct.values.tolist(), rows.tolist(), strict=True):
        stripped = text.strip()
        if stripped in usual:
            found[stripped] += n_rows
        others = others or stripped not in usual | {""}
    return dict(found) if others else {}


def _by_text(held: Rows) -> dict[str, dict[str, int]]:
    """Return the rows by text and column instead of by column and text."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, rows in held.items():
        for text, n_rows in rows.items():
            found[text][name] = n_rows
    return dict(found)


def _taken(text: str, rows: Mapping[str, int]) -> str:
    return f"{text!r} was taken for a missing value (data.missing_values): {_places(rows)}."


def _left(text: str, among_values: Mapping[str, int], among_texts: Mapping[str, int]) -> str:
    return (
        f"{text!r} was not taken for a missing value, because it may be a category in {_names(among_texts)}; so "
        f"{_names(among_values)} became text. Leave such values empty there to have numbers."
    )


def _class(text: str, n_rows: int, target: str) -> str:
    return (
        f"{text!r} was taken for a class of the target {target!r} ({counted(n_rows, 'row')}), not for a missing value; "
        "if it means that the class is not known, leave it empty."
    )


def _no_class(text: str, n_rows: int, target: str) -> str:
    return (
        f"{text!r} in {counted(n_rows, 'row')} of the target {target!r} was taken for a missing value, as in numbers; "
        "if it is a class, give it another name."
    )


def _may_be_categories(among_texts: Rows, target: str, n_rows: int) -> list[str]:
    """Return a warning for each text that is missing so often in columns of texts that it may be a category."""
    found = []
    for text in sorted(among_texts):
        often = {
            name: count
            for name, count in among_texts[text].items()
            if name != target and count >= MIN_SHARE_OF_CATEGORY * n_rows
        }
        if often:
            places = [f"{name!r} ({share_text(count / n_rows)} of the rows)" for name, count in often.items()]
            found.append(
                f"{text!r} means a missing value in {listed(places, most=MOST_NAMED)}; if it is a category there, take "
                "it out of data.missing_values and into the schema."
            )
    return found


def _places(rows: Mapping[str, int]) -> str:
    return listed([f"{name!r} has it in {counted(count, 'row')}" for name, count in rows.items()], most=MOST_NAMED)


def _names(rows: Mapping[str, int]) -> str:
    return listed([repr(name) for name in rows], most=MOST_NAMED)
