"""The module that holds the project's schema, as it is on the disk and as it would be after an edit."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from ml_project.config_sources import PACKAGE_VARIABLE
from ml_project.data.raw_schema import RawSchema
from ml_project.data.schema_reader import read_schema
from ml_project.errors import ConfigError
from ml_project.modelling.project_parts import Project
from ml_project.project_package import USUAL_PACKAGE, load_project
from scaffolding.refreshing.project_data import unusable_code
from scaffolding.refreshing.schema_fields import MODEL


@dataclass(frozen=True)
class SchemaModule:
    """The module that declares the schema.

    Attributes
    ----------
    name
        Its full name.
    path
        Its file.
    """

    name: str
    path: Path

    def read(self, text: str) -> RawSchema | None:
        """Return the schema that the module would declare with other source; ``None`` where it could not be read."""
        with _imported(f"{self.name}_proposed", self.path, text) as module:
            try:
                module.__spec__.loader.exec_module(module)  # type: ignore[union-attr]  # made by _imported
                return read_schema(getattr(module, MODEL))
            except Exception:  # noqa: BLE001  the user's own code may raise anything; then there is no such edit
                return None


def load_parts(root: Path) -> tuple[SchemaModule, Project]:
    """Return the project at a folder, with the module that declares its schema.

    Raises
    ------
    ConfigError
        When there is none, it cannot be imported, or what is imported lies somewhere else.
    """
    package = os.environ.get(PACKAGE_VARIABLE) or USUAL_PACKAGE
    try:
        project = load_project()
        module = importlib.import_module(f"{package}.schema")
    except ConfigError:
        raise
    except Exception as error:
        raise unusable_code(f"The package {package}", error) from error
    path = Path(module.__file__ or "").resolve()
    if not path.is_relative_to(root.resolve()):
        raise ConfigError(f"There is no project in {root}: {package}.schema lies in {path}; start this in its folder.")
    return SchemaModule(f"{package}.schema", path), project


class _TextLoader(SourceLoader):
    """Loads a module from source that is in no file, as if it stood in one."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        return self._text.encode()


@contextmanager
def _imported(name: str, path: Path, text: str) -> Iterator[ModuleType]:
    """Give a module that is not executed yet; while it is needed, annotations are looked up in it by its name."""
    module = importlib.util.module_from_spec(ModuleSpec(name, _TextLoader(path, text), origin=str(path)))
    sys.modules[name] = module
    try:
        yield module
    finally:
        del sys.modules[name]
