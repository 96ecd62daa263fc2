"""Compare the data with the project's schema and propose the edit: ``new_project.sh --refresh``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ml_project.config import Config, DataConfig
from ml_project.data.sources import open_source
from ml_project.errors import ConfigError
from ml_project.modelling.project_parts import Project
from ml_project.safe_file import replace_file
from ml_project.use_case_file import USE_CASE_FILE
from scaffolding.refreshing.committed_data import replacement_lines
from scaffolding.refreshing.comparison import Comparison
from scaffolding.refreshing.dialect import read_and_compare
from scaffolding.refreshing.left_out import left_out_columns
from scaffolding.refreshing.line_breaking import line_length
from scaffolding.refreshing.patches import FileEdit, coloured, make_patch
from scaffolding.refreshing.project_data import choose_data, read_config
from scaffolding.refreshing.report import dialect_lines, note_lines, report_lines
from scaffolding.refreshing.schema_edit import SchemaProposal, Wanted, propose_schema
from scaffolding.refreshing.schema_module import SchemaModule, load_parts
from scaffolding.refreshing.use_case_edit import ColumnEdits, propose_columns

PATCH = Path("output/refresh/schema.patch")
MOST_LINES = 120
"""Lines of a patch that are printed."""

Say = Callable[[str], None]


def refresh(root: Path, *, source: str | None, table: str | None, check: bool, say: Say) -> int:
    """Say what changed in the data of a project, and write the edit that its schema needs as a patch.

    Nothing but ``output/refresh/schema.patch`` is written.

    Parameters
    ----------
    root
        Folder of the project.
    source
        Address of the table; ``None`` for the one that the project's config names.
    table
        Table of a database, where that is not the config's.
    check
        Whether changes are a failure, as in a continuous integration.
    say
        Takes the lines to print.

    Returns
    -------
    int
        1 when something changed and ``check`` is given, else 0.

    Raises
    ------
    MlProjectError
        When nothing can be said, because the project or the data cannot be read.
    """
    has_changed = _refresh(root, source, table, say)
    return int(check and has_changed)


def _refresh(root: Path, source: str | None, table: str | None, say: Say) -> bool:
    config = read_config(root)
    module, project = load_parts(root)
    text = _read_text(module.path)
    data = choose_data(config.data, root, source, table)
    reading = read_and_compare(data, project.schema, config, left_out_columns(text))
    comparison = reading.comparison
    where = open_source(data).describe()
    file = module.path.relative_to(root.resolve())
    say(f"{where}: {comparison.n_rows:,} rows, {len(comparison.order)} columns, held against {file}.")
    for line in dialect_lines(reading.dialect, data.csv):
        say(line)
    if comparison.is_empty:
        (root / PATCH).unlink(missing_ok=True)
        say("Nothing changed: every row fits the schema." if reading.is_unchanged else "\nRead so, every row fits.")
        for line in note_lines(comparison):
            say(line)
        return not reading.is_unchanged
    say("Rows are counted from 0.")
    _propose(root, config, data, module, project, comparison, text, say)
    return True


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not written in UTF-8 ({error}); save it so.") from error


def _propose(
    root: Path,
    config: Config,
    data: DataConfig,
    module: SchemaModule,
    project: Project,
    comparison: Comparison,
    text: str,
    say: Say,
) -> None:
    length = line_length(root)
    wanted = _wanted(comparison)
    proposal = propose_schema(text, project.schema, wanted, read=module.read, length=length)
    for line in report_lines(comparison, config, project.processes, proposal.by_hand):
        say(line)
    for line in note_lines(comparison):
        say(line)
    path = module.path.relative_to(root.resolve()).as_posix()
    edits = [FileEdit(path, text, proposal.text), *_use_case_edits(root, comparison, proposal, length, say)]
    patch = make_patch(edits, root.resolve())
    if not patch:
        (root / PATCH).unlink(missing_ok=True)
        say("\nNo edit can be proposed.")
        return
    replace_file(root / PATCH, patch.encode())
    for line in (*_advice(patch, comparison), *replacement_lines(root, data, comparison)):
        say(line)


def _wanted(comparison: Comparison) -> Wanted:
    return Wanted(
        changed=[(change.old, change.new) for change in comparison.changes if change.old != change.new],
        renamed=comparison.renamed,
        added=[column.rule for column in comparison.new if column.belongs_to_schema and column.rule is not None],
        left_out=[column.name for column in comparison.new if not column.belongs_to_schema],
        removed=comparison.gone,
        order=comparison.order,
    )


def _use_case_edits(
    root: Path, comparison: Comparison, proposal: SchemaProposal, length: int, say: Say
) -> Iterator[FileEdit]:
    """Yield the edit of the use cases' config that follows from those columns that the schema's edit reached."""
    done = [column for column in comparison.new if column.name not in proposal.by_hand]
    features = [column.name for column in done if column.can_be_feature]
    removed = [name for name in comparison.gone if name not in proposal.by_hand]
    renamed = {old: new for old, new in comparison.renamed.items() if old not in proposal.by_hand}
    if not (features or removed or renamed):
        return
    text = _read_text(root / USE_CASE_FILE)
    after = propose_columns(text, ColumnEdits(features, removed, renamed), length)
    if after is not None:
        yield FileEdit(USE_CASE_FILE.as_posix(), text, after)
        return
    parts = {"add": features, "remove": removed, "rename": [f"{old} to {new}" for old, new in renamed.items()]}
    words = "; ".join(f"{verb} {', '.join(names)}" for verb, names in parts.items() if names)
    say(f"\n{USE_CASE_FILE}: features.columns is no plain tuple; edit it by hand: {words}")


def _advice(patch: str, comparison: Comparison) -> Iterator[str]:
    shown = patch.splitlines()
    text = "\n".join(shown[:MOST_LINES])
    yield "\nProposed edit\n"
    yield (coloured(text) if sys.stdout.isatty() else text).rstrip("\n")
    if len(shown) > MOST_LINES:
        yield f"... and {len(shown) - MOST_LINES} more lines in {PATCH}"
    yield "\nIs a value wrong? Then correct the data, and leave its change out. Otherwise, in the project's folder:"
    yield f"  git apply {PATCH}"
    if any(column.belongs_to_schema for column in comparison.new):
        yield "To leave a new column out for good, name it in a comment of the schema: # left out: NAME, NAME"
