"""What the deployer remembers of its own work, in ``.deployment_manifest.json`` at the root.

A file counts as the deployer's while its content is one that the deployer wrote. That is why hashes are remembered
before files are written: after a crash in between, what was written is known, and what was not is left alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import is_outside
from ml_project.safe_file import replace_file

MEMORY_FILE = ".deployment_manifest.json"


class WrittenFile(BaseModel):
    """A file that was written, or was about to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: tuple[str, ...]
    """Hashes of the contents that are the deployer's: one, or two while an old content is being replaced."""
    providers: tuple[str, ...]
    """The providers that want the file."""


class DoneStep(BaseModel):
    """A step whose result lies outside of the root's files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    title: str
    undo: str


class Memory(BaseModel):
    """Everything that is remembered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    files: dict[str, WrittenFile] = Field(default_factory=dict)
    """By path relative to the root."""
    folders: tuple[str, ...] = ()
    """Folders that were made for the files, outer ones first."""
    steps: tuple[DoneStep, ...] = ()

    @field_validator("files")
    @classmethod
    def _refuse_paths_out_of_the_root(cls, files: dict[str, WrittenFile]) -> dict[str, WrittenFile]:
        wrong = [path for path in files if is_outside(path)]
        if wrong:
            raise ValueError(f"leads out of the root: {', '.join(wrong)}")
        return files


def read_memory(root: Path) -> Memory:
    """Return what is remembered; nothing where there is no file.

    Raises
    ------
    DeploymentError
        When the file cannot be understood.
    """
    path = root / MEMORY_FILE
    try:
        return Memory.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Memory()
    except (ValidationError, OSError) as error:
        raise DeploymentError(
            f"{path} cannot be read, so nobody knows which files the deployer wrote: {_first_line(error)}; restore it, "
            "or look through `git status`, remove by hand what is not wanted, and delete this file"
        ) from error


def write_memory(root: Path, memory: Memory) -> None:
    """Write what is remembered, or remove the file when that is nothing."""
    if memory == Memory():
        (root / MEMORY_FILE).unlink(missing_ok=True)
        return
    replace_file(root / MEMORY_FILE, (memory.model_dump_json(indent=2) + "\n").encode())


def with_step(memory: Memory, step: DoneStep) -> Memory:
    """Return the memory with a further step; one that is done again is remembered once."""
    return memory.model_copy(update={"steps": tuple(dict.fromkeys([*memory.steps, step]))})


def hash_of(content: bytes) -> str:
    """Return the sha256 of a content in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}"
    return str(error)
