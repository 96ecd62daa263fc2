"""Sending batches in which some records are refused: the others get their answers all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ml_project.errors import InvalidDataError, Problem

Send = Callable[[Sequence[Mapping[str, Any]]], list[dict[str, Any]]]
"""Returns one answer per record or raises; in process or over a network."""


@dataclass(frozen=True)
class BatchOutcome:
    """What became of the records of a batch.

    Attributes
    ----------
    answers
        The answers by the record's position in the batch, ascending; refused records have none.
    problems
        Why records were refused, by row in the batch.
    """

    answers: Mapping[int, dict[str, Any]]
    problems: Sequence[Problem]


def send_batch(send: Send, records: Sequence[Mapping[str, Any]]) -> BatchOutcome:
    """Send records, and where some are refused the others again without them.

    A service refuses a request as a whole, and names the rows that are wrong.

    Parameters
    ----------
    send
        What answers records.
    records
        The records.

    Raises
    ------
    MlProjectError
        When ``send`` fails for another reason than the records.

    Examples
    --------
    >>> def send(records):
    ...     wrong = [Problem("is required", "age", row) for row, record in enumerate(records) if not record]
    ...     if wrong:
    ...         raise InvalidDataError("The input does not fit the schema.", wrong)
    ...     return list(records)
    >>> outcome = send_batch(send, [{}, {"age": 3}])
    >>> outcome.answers, str(*outcome.problems)
    ({1: {'age': 3}}, 'row 0, age: is required')
    """
    waiting = list(range(len(records)))
    problems: list[Problem] = []
    while waiting:
        try:
            answers = send([records[place] for place in waiting])
        except InvalidDataError as error:
            found = _at_their_places(error, waiting)
            problems += found
            refused = {problem.row for problem in found} - {None}
            waiting = [place for place in waiting if place not in refused] if refused else []
        else:
            return BatchOutcome(dict(zip(waiting, answers, strict=True)), problems)
    return BatchOutcome({}, problems)


def _at_their_places(error: InvalidDataError, waiting: Sequence[int]) -> list[Problem]:
    """Return the problems by the rows of the whole batch."""
    return [
        replace(problem, row=waiting[problem.row] if problem.row is not None and problem.row < len(waiting) else None)
        for problem in error.problems or (Problem(error.message),)
    ]
