"""Values as the texts that MLflow stores: flattened, cut visibly where they are too long."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ml_project.masking import mask_credentials

MAX_KEY_LENGTH = 250
MAX_PARAMETER_LENGTH = 6000
MAX_TAG_LENGTH = 8000

_REFUSED_IN_KEYS = re.compile(r"[^\w\-. :/]")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted name; lists stay whole.

    Examples
    --------
    >>> flatten({"splits": {"n_folds": 5, "columns": ["a"]}, "task": None})
    {'splits.n_folds': 5, 'splits.columns': ['a'], 'task': None}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def explain_problem(problem: Exception) -> str:
    r"""Return what an exception says, without credentials and without the statement that SQLAlchemy appends.

    Examples
    --------
    >>> explain_problem(ValueError("database is locked\n[SQL: SELECT 1]"))
    'database is locked'
    """
    return mask_credentials(str(problem).partition("\n[SQL:")[0])


def to_text(value: Any, max_length: int) -> str:
    """Return a value as a text of at most ``max_length`` characters; where it is cut, the text says so.

    Examples
    --------
    >>> to_text("x" * 60, 40)
    'xxxxxxxxxxxxxxxx... [cut; 60 characters]'
    """
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    if len(text) <= max_length:
        return text
    note = f"... [cut; {len(text)} characters]"
    return text[: max(0, max_length - len(note))] + note


def to_key(name: str) -> str:
    """Return a name with the characters that MLflow refuses replaced, cut at its limit.

    Examples
    --------
    >>> to_key("precision[>50K]")
    'precision__50K_'
    """
    return _REFUSED_IN_KEYS.sub("_", name)[:MAX_KEY_LENGTH]
