"""The names of a project in its files, and how they are exchanged for those of another project.

A name has three forms: ``customer_churn`` in Python, ``customer-churn`` in images and clouds, ``CUSTOMER_CHURN`` in
environment variables. The first template's name looks like no other word, so it is found wherever it stands. That of a
project may: ``wine`` can be a word of a sentence, and has no dash by which its forms could be told apart. So that a
project can be the template of the next one, ``scaffolding/template/template.json`` remembers the lines where that
matters.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

TEMPLATE_FILE = PurePosixPath("scaffolding", "template", "template.json")


@dataclass(frozen=True)
class Example:
    """What the first template's data set and its models are called.

    Attributes
    ----------
    word
        The name, in lower case.
    places
        Files and folders in which the word means the project, which a new project's name takes the place of.
    elsewhere
        Files in these folders in which it means the data set all the same.
    """

    word: str
    places: tuple[str, ...]
    elsewhere: tuple[str, ...]

    def is_named_in(self, path: str) -> bool:
        """Return whether the word means the project in a file."""
        return path not in self.elsewhere and any(path == one or path.startswith(f"{one}/") for one in self.places)


@dataclass(frozen=True)
class Template:
    """What has to be known of a template to exchange its name: ``scaffolding/template/template.json``.

    Attributes
    ----------
    package
        Name of the first template's package.
    line_length
        How many characters a line of code has at most where the project's name is as short as the first template's.
    example
        Name of the first template's example; ``None`` in a project, where it has the project's name.
    lines
        By path, the lines whose names cannot be told from other words, as the first template has them, in their order.
        Both paths and lines have the first template's name.
    """

    package: str
    line_length: int
    example: Example | None
    lines: Mapping[str, tuple[str, ...]]


def read_template(root: Path) -> Template:
    """Return what ``scaffolding/template/template.json`` says."""
    found = json.loads((root / TEMPLATE_FILE).read_text(encoding="utf-8"))
    example = found["example"] and Example(
        found["example"]["word"], tuple(found["example"]["places"]), tuple(found["example"]["elsewhere"])
    )
    lines = {path: tuple(remembered) for path, remembered in found["lines"].items()}
    return Template(found["package"], found["line_length"], example, lines)


def template_text(template: Template) -> str:
    """Return the text of ``scaffolding/template/template.json``."""
    return json.dumps(asdict(template), indent=4, ensure_ascii=False) + "\n"


class Renaming:
    """The exchange of a template's name for a new one.

    Parameters
    ----------
    template
        What is known of the template.
    current
        Name of the template's package as it is now.
    new
        Name of the new project's package.

    Examples
    --------
    >>> renaming = Renaming(Template("first_one", 120, None, {}), "first_one", "wine")
    >>> renaming.text("a.sh", "FIRST_ONE_SEED=1 python -m first_one serve # first-one, red wine")
    'WINE_SEED=1 python -m wine serve # wine, red wine'
    >>> renaming.remembered
    {'a.sh': ('FIRST_ONE_SEED=1 python -m first_one serve # first-one, red wine',)}
    >>> next_one = Renaming(Template("first_one", 120, None, renaming.remembered), "wine", "red_cars")
    >>> next_one.text("a.sh", "WINE_SEED=1 python -m wine serve # wine, red wine")
    'RED_CARS_SEED=1 python -m red_cars serve # red-cars, red wine'
    """

    def __init__(self, template: Template, current: str, new: str) -> None:
        self.new = new
        self.remembered: dict[str, tuple[str, ...]] = {}
        self._template = template
        self._current = current
        self._first_forms = forms(template.package)
        self._from_current = _backwards(current, self._first_forms)
        self._from_new = _backwards(new, self._first_forms)

    def path(self, path: str) -> str:
        """Return the path that a file of the template has in the new project."""
        return self._renamed(self._path_at_first(path), self.new)

    def text(self, path: str, text: str) -> str:
        """Return the text that a file of the template has in the new project, and remember its ambiguous lines.

        Parameters
        ----------
        path
            The file's path in the template.
        text
            Its text in the template.
        """
        first_path = self._path_at_first(path)
        origins: defaultdict[str, list[str]] = defaultdict(list)
        lines = []
        for first in self._lines_at_first(first_path, path, text):
            lines.append(self._renamed(first, self.new))
            origins[lines[-1]].append(first)
        unclear = [line for renamed, firsts in origins.items() for line in self._unclear(renamed, firsts)]
        if unclear:
            self.remembered[first_path] = tuple(line.rstrip("\r\n") for line in unclear)
        return "".join(lines)

    def next_template(self) -> Template:
        """Return what has to be known of the new project, once all texts have been renamed."""
        return Template(self._template.package, self._template.line_length, None, dict(sorted(self.remembered.items())))

    def _lines_at_first(self, first_path: str, path: str, text: str) -> Iterator[str]:
        """Yield the lines as the first template has them; where it was called by its example, by its package."""
        if self._current == self._template.package:
            example = self._template.example
            if example and example.is_named_in(path):
                text = _word(example.word).sub(self._template.package, text)
            yield from text.splitlines(keepends=True)
            return
        known: defaultdict[str, list[str]] = defaultdict(list)
        for first in reversed(self._template.lines.get(first_path, ())):
            known[self._renamed(first, self._current)].append(first)
        for line in text.splitlines(keepends=True):
            content = line.rstrip("\r\n")
            if firsts := known.get(content):
                yield (firsts.pop() if len(firsts) > 1 else firsts[0]) + line[len(content) :]
            else:
                yield self._from_current(line)

    def _unclear(self, renamed: str, firsts: list[str]) -> list[str]:
        """Return what to remember of the lines that became one and the same: all of them where they differed."""
        if len(set(firsts)) > 1:
            return firsts
        return firsts[:1] if self._from_new(renamed) != firsts[0] else []

    def _path_at_first(self, path: str) -> str:
        return path if self._current == self._template.package else self._from_current(path)

    def _renamed(self, text: str, package: str) -> str:
        for first, new in zip(self._first_forms, forms(package), strict=True):
            text = text.replace(first, new)
        return text


def forms(package: str) -> tuple[str, str, str]:
    """Return a name as Python has it, as environment variables and as clouds do.

    Examples
    --------
    >>> forms("customer_churn")
    ('customer_churn', 'CUSTOMER_CHURN', 'customer-churn')
    """
    return package, package.upper(), package.replace("_", "-")


def _word(form: str) -> re.Pattern[str]:
    r"""Return what finds a name that is no part of a longer word; an escaped end of a line (``\n``) is no letter."""
    return re.compile(rf"(?:(?<![A-Za-z0-9])|(?<=\\n)){re.escape(form)}(?![A-Za-z0-9])")


def _backwards(package: str, first_forms: tuple[str, ...]) -> Callable[[str], str]:
    """Return a function that gives a text the first template's name; a form like Python's is taken for Python's."""
    first_by_form = dict(zip(reversed(forms(package)), reversed(first_forms), strict=True))
    pairs = [(_word(form), first) for form, first in first_by_form.items()]

    def to_first(text: str) -> str:
        for word, first in pairs:
            text = word.sub(first, text)
        return text

    return to_first
