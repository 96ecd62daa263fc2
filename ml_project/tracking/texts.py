"""Values as the texts that MLflow stores: flattened, without secrets, cut visibly where they are too long."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

MAX_KEY_LENGTH = 250
MAX_PARAMETER_LENGTH = 6000
MAX_TAG_LENGTH = 8000
MASK = "***"

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*(?::[^@\s]*)?(?=@)")
_SECRET_QUERY = re.compile(r"(?i)(?<=[?&])((?:password|passwd|pwd|token|secret|sig|signature)=)[^&\s]+")
_SECRET_NAME = re.compile(r"(?i)(^|[_.-])(password|passwd|pwd|secret|token|key|credentials?)($|[_.-])")
_REFUSED_IN_KEYS = re.compile(r"[^\w\-. :/]")


def mask_credentials(text: str) -> str:
    """Return a text with the credentials in its addresses masked.

    Examples
    --------
    >>> mask_credentials("postgresql://me:secret@db/titanic")
    'postgresql://***@db/titanic'
    """
    return _SECRET_QUERY.sub(rf"\g<1>{MASK}", _CREDENTIALS.sub(MASK, text))


def mask_secrets(value: Any, name: str = "") -> Any:
    """Return nested values as plain ones for YAML and JSON, with secrets masked by field name or in addresses.

    Examples
    --------
    >>> mask_secrets({"storage_options": {"key": "AKIA", "endpoint_url": "http://me:pw@host"}})
    {'storage_options': {'key': '***', 'endpoint_url': 'http://***@host'}}
    """
    if isinstance(value, Mapping):
        return {str(key): mask_secrets(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [mask_secrets(inner, name) for inner in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, PurePath)):
        return MASK if _SECRET_NAME.search(name) and str(value) else mask_credentials(str(value))
    return mask_credentials(str(value))


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
