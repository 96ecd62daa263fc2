"""Checks of what features are declared to be, before any data is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ml_project.data.raw_schema import RawSchema
from ml_project.errors import FeatureError, Problem
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.suggestions import suggest


def check_declaration(
    processes: Sequence[FeatureProcess], schema: RawSchema, columns: Sequence[str], target: str | None
) -> None:
    """Refuse features that cannot work, with all problems together.

    Parameters
    ----------
    processes, columns
        The features: processes, and raw columns as they are.
    schema
        The raw data's schema.
    target
        Name of the target, which no feature may read.

    Raises
    ------
    FeatureError
        Naming unknown columns with the closest known ones, doubled names, datetimes as they are, and features that
        read the target.
    """
    known = set(schema.names)
    problems = [
        Problem(f"is no column of the schema{suggest(name, known)}", name) for name in columns if name not in known
    ]
    problems += [
        Problem("is a datetime, from which no model can learn as it is; use DatePart or ElapsedDays", name)
        for name in columns
        if name in known and schema.rule(name).kind == "datetime"
    ]
    for process in processes:
        problems += _problems_of_process(process, known, target)
    doubled = Counter([*columns, *(process.name for process in processes)])
    problems += [Problem("is the name of more than one feature; rename", name) for name, n in doubled.items() if n > 1]
    if target in columns:
        problems.append(Problem("is the target and can be no feature", target))
    if problems:
        raise FeatureError("the features are not usable:", problems)


def _problems_of_process(process: FeatureProcess, known: set[str], target: str | None) -> list[Problem]:
    problems = [
        Problem(f"its input {name!r} is no column of the schema{suggest(name, known)}", process.name)
        for name in process.inputs
        if name not in known
    ]
    if not process.inputs:
        problems.append(Problem("declares no inputs; name at least one raw column", process.name))
    if target is not None and target in process.inputs:
        problems.append(Problem(f"reads the target {target!r}, which is unknown at prediction", process.name))
    return problems
