"""Compiled sources beside the sources, for places where each start would compile them again.

An instance of a cloud's function starts with the files as they were sent, and what Python compiles there is lost with
the instance.
"""

from __future__ import annotations

import importlib.util
import marshal
from collections.abc import Mapping
from pathlib import PurePosixPath

NEVER_CHECKED = (0b01).to_bytes(4, "little")
"""The flag of compiled sources that belong to their source by a hash which is not looked at."""
WITHOUT_REFERENCES = 2
"""A version of the format whose bytes do not depend on which objects the compiling process shares."""


def with_bytecode(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files with the compiled form of each Python source beside it, for this version of Python.

    Equal sources give equal bytes as long as the version of Python is the same.

    Parameters
    ----------
    files
        Content by path.

    Examples
    --------
    >>> sorted(with_bytecode({"a/b.py": b"x = 1"}))
    ['a/__pycache__/b.cpython-312.pyc', 'a/b.py']
    """
    compiled = {_place(path): _compile(path, source) for path, source in files.items() if path.endswith(".py")}
    return {**files, **compiled}


def _place(path: str) -> str:
    return PurePosixPath(importlib.util.cache_from_source(path)).as_posix()


def _compile(path: str, source: bytes) -> bytes:
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    head = importlib.util.MAGIC_NUMBER + NEVER_CHECKED + importlib.util.source_hash(source)
    return head + marshal.dumps(code, WITHOUT_REFERENCES)
