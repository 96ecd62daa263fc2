"""Where the columns of a project's schema are declared in its source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

from scaffolding.refreshing.source_edits import Source, Span

MODEL = "RawData"


class ByHandError(ValueError):
    """An edit that only the user can make; the message says what to do."""


@dataclass(frozen=True)
class Field:
    """The statement that declares one column.

    Attributes
    ----------
    column
        Name of the column.
    statement
        Attribute with its type.
    call
        Call of pandera's ``Field``; ``None`` where the type stands alone.
    """

    column: str
    statement: ast.AnnAssign
    call: ast.Call | None

    @property
    def attribute(self) -> str:
        """Return the name of the attribute."""
        assert isinstance(self.statement.target, ast.Name)  # see SchemaSource.fields
        return self.statement.target.id

    def keyword(self, name: str) -> ast.keyword | None:
        """Return one of the field's keyword arguments."""
        keywords = [] if self.call is None else self.call.keywords
        return next((keyword for keyword in keywords if keyword.arg == name), None)


@dataclass(frozen=True)
class SchemaSource(Source):
    """The source of a module that declares the class ``RawData``."""

    @cached_property
    def model(self) -> ast.ClassDef:
        """Return the class itself.

        Raises
        ------
        ByHandError
            When the module does not declare it, but imports or makes it.
        """
        return self._class(MODEL)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Return the columns that the class and its bases in this module declare, in order, by name."""
        fields: dict[str, Field] = {}  # by attribute, so that the class's own wins
        for statement in (statement for model in self._line_of_descent(self.model) for statement in model.body):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                fields[statement.target.id] = self._read(statement, statement.target.id)
        return {field.column: field for field in fields.values()}

    def field(self, column: str) -> Field:
        """Return the declaration of a column.

        Raises
        ------
        ByHandError
            When it stands in another module, or is made by code.
        """
        if column not in self.fields:
            raise ByHandError("it is not declared in this file as a plain field")
        return self.fields[column]

    def lines_of(self, field: Field) -> Span:
        """Return the whole lines of a column's declaration, with the text below it that documents it.

        Raises
        ------
        ByHandError
            When something else stands on the same lines.
        """
        siblings = self._siblings(field)
        place = siblings.index(field.statement)
        last: ast.stmt = field.statement
        for statement in siblings[place + 1 : place + 2]:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                last = statement
        start, end = self.span(field.statement).start, self.span(last).end
        after = self.text[end : self.next_line(end)].strip()
        if self.indentation(start) is None or (after and not after.startswith("#")):
            raise ByHandError("other statements stand on its line")
        return Span(self.line_start(start), self.next_line(end))

    def is_alone(self, field: Field) -> bool:
        """Return whether nothing would be left of the class without a column's declaration."""
        return all(statement is field.statement for statement in self._siblings(field))

    def _siblings(self, field: Field) -> list[ast.stmt]:
        models = self._line_of_descent(self.model)
        return next(model.body for model in models if field.statement in model.body)

    def changeable_call(self, field: Field) -> ast.Call:
        """Return the call of pandera's ``Field`` to change.

        Raises
        ------
        ByHandError
            When there is none, for instance because a function of the user makes the field.
        """
        if field.call is None:
            raise ByHandError(f"it is made by {self.of(field.statement.value or field.statement)}")
        return field.call

    @cached_property
    def field_function(self) -> str | None:
        """Return how the class writes pandera's ``Field``, or how it could."""
        written = [self.of(field.call.func) for field in self.fields.values() if field.call is not None]
        return next(iter([*written, *self._imported_functions]), None)

    @cached_property
    def _imported_functions(self) -> list[str]:
        """Return the names under which the module has pandera's ``Field``."""
        found = []
        for statement in self.tree.body:
            for name in statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else ():
                bound = name.asname or name.name
                if isinstance(statement, ast.ImportFrom) and name.name == "Field":
                    found.append(bound)
                if isinstance(statement, ast.Import) and name.name in ("pandera", "pandera.pandas"):
                    found.append(f"{bound}.Field")
                if isinstance(statement, ast.ImportFrom) and (statement.module, name.name) == ("pandera", "pandas"):
                    found.append(f"{bound}.Field")
        return found

    @cached_property
    def bound_names(self) -> frozenset[str]:
        """Return the names that the module's imports bind."""
        imports = (found for found in self.tree.body if isinstance(found, ast.Import | ast.ImportFrom))
        return frozenset(name.asname or name.name.partition(".")[0] for found in imports for name in found.names)

    def _class(self, name: str) -> ast.ClassDef:
        for statement in self.tree.body:
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                return statement
        raise ByHandError(f"the class {name} is not declared in this file")

    def _line_of_descent(self, model: ast.ClassDef) -> list[ast.ClassDef]:
        """Return the class after those bases of it that this module declares."""
        classes = {found.name: found for found in self.tree.body if isinstance(found, ast.ClassDef)}
        bases = [classes[base.id] for base in model.bases if isinstance(base, ast.Name) and base.id in classes]
        return [*(ancestor for base in reversed(bases) for ancestor in self._line_of_descent(base)), model]

    def _read(self, statement: ast.AnnAssign, attribute: str) -> Field:
        value = statement.value
        call = value if isinstance(value, ast.Call) and self._is_field(value.func) else None
        aliases = [keyword.value for keyword in (call.keywords if call else ()) if keyword.arg == "alias"]
        alias = aliases[0].value if aliases and isinstance(aliases[0], ast.Constant) else attribute
        return Field(str(alias), statement, call)

    def _is_field(self, function: ast.expr) -> bool:
        is_attribute = isinstance(function, ast.Attribute) and function.attr == "Field"
        return is_attribute or self.of(function) in self._imported_functions
