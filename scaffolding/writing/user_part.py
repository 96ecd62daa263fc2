"""Writing the user's part of a new project: schema, features, candidates, config, their tests, and what READMEs say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaffolding.addresses import is_database
from scaffolding.plan import ProjectPlan
from scaffolding.writing.config_source import data_comment, data_fields, feature_fields, left_out_comment, split_fields
from scaffolding.writing.data_text import data_readme, readme_section
from scaffolding.writing.example_source import example_lines
from scaffolding.writing.formatting import allow_lookalikes, format_source
from scaffolding.writing.process_source import process_lines, variables
from scaffolding.writing.rendering import render
from scaffolding.writing.schema_source import schema_source

if TYPE_CHECKING:
    import pandas as pd

BEGIN, END = "<!-- data: begin -->", "<!-- data: end -->"
_MARKED = re.compile(f"^{BEGIN}$.*?^{END}$", re.MULTILINE | re.DOTALL)
_FOLDER_DOCSTRING = '"""The part that a user changes: the schema of the raw data and the feature processes."""\n'
_MOST_COLUMNS, _MOST_CLASSES = 100, 20
"""With more of them a linear model takes too long for a test."""
_TESTS = ("conftest.py", "test_schema.py", "test_features.py", "test_model.py")


def write_user_part(plan: ProjectPlan, root: Path, frame: pd.DataFrame) -> list[str]:
    """Write the part of a project that is about its data.

    Parameters
    ----------
    plan
        What was decided.
    root
        Root of the new project, which has the template's other files already.
    frame
        The whole table as its source gives it.

    Returns
    -------
    list of str
        Paths of the files, relative to the root.

    Raises
    ------
    OSError
        When a file cannot be written.
    """
    files = {
        **user_part_files(plan),
        "data/data/README.md": data_readme(plan, frame),
        "README.md": _with_section(_read(root / "README.md"), readme_section(plan, frame)),
        ".gitignore": _with_ignored(_read(root / ".gitignore"), plan),
    }
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    return sorted(files)


def user_part_files(plan: ProjectPlan) -> dict[str, str]:
    """Return the content of the user's Python files by path, relative to the root."""
    package = plan.package
    tests = {f"tests/project/{name}": _test_source(plan, name) for name in _TESTS}
    return {
        f"{package}/project/__init__.py": _FOLDER_DOCSTRING,
        f"{package}/project/schema.py": schema_source(plan.schema, docstring="One row of the table."),
        f"{package}/project/features.py": _features_source(plan),
        f"{package}/project/candidates.py": render("candidates.py.j2", package=package),
        "use_cases/use_case_config.py": _config_source(plan),
        "tests/project/__init__.py": f'"""Tests of {package}.project."""\n',
        **tests,
    }


def _features_source(plan: ProjectPlan) -> str:
    return _source(
        "features.py.j2",
        package=plan.package,
        kinds=sorted({process.kind for process in plan.processes}),
        processes=process_lines(plan.processes),
        variables=variables(plan.processes),
        example=example_lines(plan),
    )


def _config_source(plan: ProjectPlan) -> str:
    data = data_fields(plan.data)
    sections = ["Artifacts", "", "Data", "Features", "Modelling", "Splits", "Tracking"]
    imports = [f"{section}Config" for section in sections] + ["Switches"]
    return _source(
        "use_case_config.py.j2",
        package=plan.package,
        title=plan.title,
        imports=sorted([*imports, *(["CsvConfig"] if "csv" in dict(data) else [])], key=str.lower),
        data=data,
        data_comment=data_comment(plan),
        left_out=left_out_comment(plan.left_out),
        features=feature_fields(plan),
        splits=split_fields(plan),
        task=plan.task,
    )


def _test_source(plan: ProjectPlan, name: str) -> str:
    committed = f'REPOSITORY / "{plan.committed_data}"'
    return _source(
        f"test_{name.removeprefix('test_')}.j2",
        package=plan.package,
        candidates=_quick_candidates(plan),
        committed=f'f"sqlite:///{{{committed}}}"' if is_database(plan.data.source) else f"str({committed})",
        is_classification=plan.task != "regression",
        outcome="numbers" if plan.task == "regression" else "classes",
    )


def _quick_candidates(plan: ProjectPlan) -> tuple[str, ...]:
    """Return the candidates that the project's own test trains, in seconds."""
    is_small = len(plan.schema.columns) <= _MOST_COLUMNS and (plan.n_classes or 0) <= _MOST_CLASSES
    return ("baseline", *(["linear"] if is_small else []), "decision_tree")


def _source(template: str, **values: Any) -> str:
    return allow_lookalikes(format_source(render(template, **values)))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _with_section(readme: str, section: str) -> str:
    """Return a README with the section between its marks, lines of their own; at the end where it has none."""
    marked = f"{BEGIN}\n{section}{END}"
    replaced, n_found = _MARKED.subn(lambda _: marked, readme, count=1)
    return replaced if n_found else f"{readme.rstrip()}\n\n{marked}\n".lstrip()


def _with_ignored(rules: str, plan: ProjectPlan) -> str:
    """Return ignore rules that name the copy of the data where it is too large for the repository."""
    if is_database(plan.data.source) or plan.data.source == plan.committed_data or Path(plan.data.source).is_absolute():
        return rules
    if "://" in plan.data.source:
        return rules
    rule = f"/{plan.data.source}"
    if rule in rules.splitlines():
        return rules
    return f"{rules.rstrip()}\n\n# the whole table; a sample of it is committed\n{rule}\n".lstrip()
