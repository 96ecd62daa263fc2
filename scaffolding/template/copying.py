"""A copy of the template under a new name, without the template's own project."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

import isort

from ml_project.errors import ConfigError
from scaffolding.template.files import list_template_files
from scaffolding.template.lock_file import LOCK, renamed_lock
from scaffolding.template.renaming import TEMPLATE_FILE, Renaming, forms, read_template, template_text
from scaffolding.template.terraform_format import ENDINGS, align_arguments

OWN_DATA = re.compile(r"(?:\n*# [^\n]*)?\n/data/data/[^\n]*")
"""Lines of ``.gitignore`` about a large table of the template, with their comment."""
LINE_LENGTH = re.compile(r"^(line[-_]length = )\d+$", re.MULTILINE)


def copy_template(root: Path, destination: Path, package: str) -> list[str]:
    """Write a copy of the template whose package has another name.

    The template's own project is left out: its schema, features, candidates and config, their tests, its data. Modes
    and symbolic links stay what they are. Imports are in the order of the new name, and the line length in
    ``pyproject.toml`` is as large as the new name needs it.

    Parameters
    ----------
    root
        Folder of the template, or of a project that was made of it.
    destination
        Folder to write to; it is empty or not there.
    package
        Name of the new package, which has been checked.

    Returns
    -------
    list of str
        Relative paths of what was written, sorted.

    Raises
    ------
    ConfigError
        When the folder holds no template.
    OSError
        When something cannot be read or written.
    """
    current = package_of(root)
    renaming = Renaming(read_template(root), current, package)
    written = {path: renaming.path(path) for path in list_template_files(root, current)}
    for path, new_path in written.items():
        _copy(root / path, destination / new_path, path, renaming)
    (destination / TEMPLATE_FILE).write_text(template_text(renaming.next_template()), encoding="utf-8")
    _write_lock(root, destination, forms(current)[2], forms(package)[2])
    _fit_lines(destination, written.values(), package, renaming.next_template().line_length)
    return sorted(written.values())


def package_of(root: Path) -> str:
    """Return the name of a project's package, which ``pyproject.toml`` names where it says what has its version.

    Raises
    ------
    ConfigError
        When the file is missing or names none.
    """
    try:
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        attribute: str = settings["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    except (FileNotFoundError, KeyError) as error:
        raise ConfigError(f"{root} holds no template: pyproject.toml is missing or names no package") from error
    return attribute.partition(".")[0]


def _copy(source: Path, destination: Path, path: str, renaming: Renaming) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        destination.symlink_to(renaming.path(str(source.readlink())))
        return
    content = source.read_bytes()
    if path != LOCK:
        content = _renamed_content(path, content, renaming)
    destination.write_bytes(content)
    shutil.copymode(source, destination)


def _renamed_content(path: str, content: bytes, renaming: Renaming) -> bytes:
    """Return a file's content with the new name; content that is no text stays as it is."""
    if b"\0" in content:
        return content
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return content
    renamed = renaming.text(path, text)
    if path == ".gitignore":
        renamed = OWN_DATA.sub("", renamed)
    if path.endswith(ENDINGS):
        renamed = align_arguments(renamed, forms(renaming.new))
    return renamed.encode("utf-8")


def _write_lock(root: Path, destination: Path, old: str, new: str) -> None:
    pipfile = (destination / "Pipfile").read_text(encoding="utf-8")
    lock = renamed_lock((root / LOCK).read_text(encoding="utf-8"), pipfile, old, new)
    (destination / LOCK).write_text(lock, encoding="utf-8")


def sort_imports(root: Path, paths: Iterable[str]) -> None:
    """Put the imports of a project's modules into the order and the form that its settings ask for."""
    # Whether git ignores a file is nothing that isort could ask: a new project is no repository yet.
    config = isort.Config(settings_file=str(root / "pyproject.toml"), skip_gitignore=False, quiet=True)
    for path in paths:
        if path.endswith(".py"):
            isort.file(root / path, config=config)


def _fit_lines(destination: Path, paths: Iterable[str], package: str, line_length: int) -> None:
    """Allow the lines that the name made longer, and put the imports into their order."""
    named = [path for path in paths if path.endswith(".py") and _names(destination / path, package)]
    longest = max((_longest_line(destination / path, package) for path in named), default=0)
    settings = destination / "pyproject.toml"
    text = LINE_LENGTH.sub(rf"\g<1>{max(longest, line_length)}", settings.read_text(encoding="utf-8"))
    settings.write_text(text, encoding="utf-8")
    sort_imports(destination, named)


def _names(module: Path, package: str) -> bool:
    return package in module.read_text(encoding="utf-8")


def _longest_line(module: Path, package: str) -> int:
    """Return the length of a module's longest line that names the project and that isort does not wrap."""
    lines = module.read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if any(form in line for form in forms(package))]
    return max((len(line) for line in named if not line.startswith(("import ", "from "))), default=0)
