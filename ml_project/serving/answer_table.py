"""The answers of a stream as a CSV file, with all digits."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ml_project.safe_file import replaced_on_success

RECORD = "record"
_OUTLIERS, _PROBAS = "outliers", "probas"


class AnswerTable:
    """Writes one row per answered record: its number in the stream, its identifier, the prediction.

    Parameters
    ----------
    file
        Open text file.
    id_column
        Field that identifies a record, where there is one.
    """

    def __init__(self, file: IO[str], id_column: str | None) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._id_column = id_column
        self._has_header = False

    def add(
        self, first: int, records: Sequence[Mapping[str, Any]], answers: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Write the answers to records; those that were refused have none.

        Parameters
        ----------
        first
            Number of the first record in the stream.
        records
            The records.
        answers
            Answers by the record's position.
        """
        for place, answer in answers.items():
            cells = self._cells(first + place, records[place], answer)
            if not self._has_header:
                self._writer.writerow(cells)
                self._has_header = True
            self._writer.writerow(cells.values())

    def _cells(self, number: int, record: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row by column name; the writer gives numbers with all their digits."""
        identifier = {} if self._id_column is None else {self._id_column: record.get(self._id_column)}
        plain = {name: value for name, value in answer.items() if name not in (_PROBAS, _OUTLIERS)}
        probabilities = {f"proba_{name}": value for name, value in answer.get(_PROBAS, {}).items()}
        outliers = {_OUTLIERS: " ".join(answer.get(_OUTLIERS, ()))}
        return {RECORD: number, **identifier, **plain, **probabilities, **outliers}


@contextlib.contextmanager
def answer_table(path: Path | None, id_column: str | None) -> Iterator[AnswerTable | None]:
    """Give a table that replaces a file once the with-block ends without an error; ``None`` for no file."""
    if path is None:
        yield None
        return
    with replaced_on_success(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield AnswerTable(file, id_column)
