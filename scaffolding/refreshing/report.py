"""What ``--refresh`` says of the changes in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ml_project.config import Config, CsvConfig
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.use_case_file import USE_CASE_FILE
from scaffolding.refreshing.column_comparison import ColumnChange
from scaffolding.refreshing.comparison import Comparison
from scaffolding.refreshing.new_columns import NewColumn
from scaffolding.sections import section_lines


def report_lines(
    comparison: Comparison, config: Config, processes: Sequence[FeatureProcess], by_hand: Mapping[str, str]
) -> Iterator[str]:
    """Yield the changes, section by section.

    Parameters
    ----------
    comparison
        The changes.
    config
        The project's config.
    processes
        The project's feature processes.
    by_hand
        By column: what the proposed edit could not do.
    """
    users = _Users(config, processes)
    yield from section_lines("Changed", [line for change in comparison.changes for line in _changed(change, users)])
    yield from section_lines(
        "Probably renamed",
        [(old, f"now {new!r}{users.to_rename(old)}") for old, new in comparison.renamed.items()],
    )
    yield from section_lines("Gone", [(name, f"not in the table{users.to_remove(name)}") for name in comparison.gone])
    yield from section_lines("New", [(column.name, _new(column)) for column in comparison.new])
    yield from section_lines("To do by hand in the schema", list(by_hand.items()))


def note_lines(comparison: Comparison) -> Iterator[str]:
    """Yield what the schema allows and the table does not show."""
    yield from section_lines("Allowed and not seen; nothing to do", list(comparison.notes))


def dialect_lines(found: CsvConfig | None, own: CsvConfig) -> Iterator[str]:
    """Yield in which way a file is written that the project cannot read as its config says, and what to do.

    Parameters
    ----------
    found
        How the file is written; ``None`` where the project reads it.
    own
        What the project's config says.
    """
    if found is None:
        return
    fields = {name: (getattr(own, name), value) for name, value in found}
    rows = [(name, f"now {new!r}; the config says {old!r}") for name, (old, new) in fields.items() if old != new]
    edit = ", ".join(f"{name}={value!r}" for name, value in found if value != CsvConfig.model_fields[name].default)
    yield from section_lines("Written in another way: the project does not read this file as it is meant", rows)
    yield f"Write it as before, or say in DataConfig of {USE_CASE_FILE}, for all data: csv=CsvConfig({edit})"


def _changed(change: ColumnChange, users: _Users) -> Iterator[tuple[str, str]]:
    name = change.new.name
    yield from ((name, finding) for finding in change.findings)
    remark = users.to_retype(name) if change.new.kind != change.old.kind else ""
    if users.is_target(name) and (change.new.kind, change.new.allowed) != (change.old.kind, change.old.allowed):
        remark = "it is the target: what the models learn is another task now, so look at the metrics of a new training"
    if remark:
        yield name, remark


def _new(column: NewColumn) -> str:
    if column.rule is None:
        return f"cannot be used and is left out: it {column.reason_against}"
    if column.reason_against is not None:
        return f"{column.rule.kind}, of no use and left out: it {column.reason_against}"
    if column.warning is not None:
        return f"{column.rule.kind}, look at it before it becomes a feature: it {column.warning}"
    if column.rule.kind == "datetime":
        return "datetime, no feature by itself; make some of it in features.py, for instance with DatePart"
    return f"{column.rule.kind}, could be a feature"


class _Users:
    """Who uses a column: the features, the feature processes, and single fields of the config."""

    def __init__(self, config: Config, processes: Sequence[FeatureProcess]) -> None:
        self._config, self._processes = config, processes

    def is_target(self, column: str) -> bool:
        """Return whether a column is the one to predict."""
        return column == self._config.data.target_column

    def to_retype(self, column: str) -> str:
        """Return what may not understand values of another kind."""
        processes = self._names_of_processes(column)
        parts = [f"made for the old values, see features.py: {', '.join(processes)}"] if processes else []
        if column == self._config.splits.time_column:
            parts.append("splits.time_column of the config names it, and needs dates or numbers")
        return "; ".join(parts)

    def to_rename(self, column: str) -> str:
        """Return what has to use the new name besides the files that the patch edits."""
        processes = self._names_of_processes(column)
        return f"; rename it in features.py, too: {', '.join(processes)}" if processes else ""

    def to_remove(self, column: str) -> str:
        """Return what cannot work without a column."""
        config = self._config
        fields = {
            "data.id_column": config.data.id_column,
            "splits.group_column": config.splits.group_column,
            "splits.time_column": config.splits.time_column,
        }
        named = [field for field, value in fields.items() if value == column]
        processes = self._names_of_processes(column)
        parts = ["a feature"] if column in config.features.columns else []
        parts += [f"{field} of the config names it: choose another column"] if (field := ", ".join(named)) else []
        parts += [f"remove or rewrite in features.py: {', '.join(processes)}"] if processes else []
        return "".join(f"; {part}" for part in parts)

    def _names_of_processes(self, column: str) -> list[str]:
        return [process.name for process in self._processes if column in process.inputs]
