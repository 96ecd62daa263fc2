"""Values without their secrets, for everything that is shown, stored or passed on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

MASK = "***"

_TELLING_WORDS = r"pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|keys?|credentials?|sig(?:nature)?|sas"
_SECRET_NAME = re.compile(rf"(?i)(^|[_\-.])(?:{_TELLING_WORDS})($|[_\-.])")
_CREDENTIALS_IN_ADDRESS = re.compile(r"(?<=://)(?:[^/\s]*|[^/@\s]*:[^@\s]*)(?=@)")
_SECRET_IN_QUERY = re.compile(rf"(?i)([?&;](?:[^=&;\s]*[_\-.])?(?:{_TELLING_WORDS})(?:[_\-.][^=&;\s]*)?=)[^&;\s]+")


def is_secret_name(name: str) -> bool:
    """Return whether a field of this name holds a secret.

    Examples
    --------
    >>> is_secret_name("aws_secret_access_key"), is_secret_name("keyboard")
    (True, False)
    """
    return _SECRET_NAME.search(name) is not None


def mask_credentials(text: str) -> str:
    """Return a text with the credentials in its addresses masked.

    Examples
    --------
    >>> mask_credentials("postgresql://me:secret@db/titanic?password=x&ssl=on&access_key=y")
    'postgresql://***@db/titanic?password=***&ssl=on&access_key=***'
    """
    return _SECRET_IN_QUERY.sub(rf"\g<1>{MASK}", _CREDENTIALS_IN_ADDRESS.sub(MASK, text))


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
        return MASK if is_secret_name(name) and str(value) else mask_credentials(str(value))
    return mask_credentials(str(value))
