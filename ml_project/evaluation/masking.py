"""Configs without their secrets, for what people read and pass on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

_SECRET_NAME = re.compile(
    r"(?i)(^|[_\-.])(pass(word|wd|phrase)?|pwd|secrets?|tokens?|keys?|credentials?|sas)($|[_\-.])"
)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]*:[^/\s]*@")
_SECRET_IN_QUERY = re.compile(r"(?i)([?&;](?:password|passwd|pwd|secret|token|key|sig|signature|access_key)=)[^&;\s]+")


def mask_secrets(value: Any) -> Any:
    """Return a copy without passwords, keys and tokens, those inside URLs too.

    Examples
    --------
    >>> mask_secrets({"source": "postgresql://anna:pw@host/db", "storage_options": {"secret": "x", "anon": False}})
    {'source': 'postgresql://***@host/db', 'storage_options': {'secret': '***', 'anon': False}}
    """
    if isinstance(value, Mapping):
        return {key: MASK if _is_secret(str(key), item) else mask_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_secrets(item) for item in value]
    if isinstance(value, str):
        return _SECRET_IN_QUERY.sub(rf"\g<1>{MASK}", _CREDENTIALS_IN_URL.sub(f"{MASK}@", value))
    return value


def _is_secret(name: str, value: Any) -> bool:
    return isinstance(value, str) and _SECRET_NAME.search(name) is not None
