"""The fingerprint of a table: equal exactly when names, types, values and their order are."""

from __future__ import annotations

import hashlib

import pandas as pd


def fingerprint(raw: pd.DataFrame) -> str:
    """Return the sha256 of a table's content as hexadecimal digits; the index does not count.

    Examples
    --------
    >>> fingerprint(pd.DataFrame({"a": [1, 2]})) == fingerprint(pd.DataFrame({"a": [2, 1]}))
    False
    """
    digest = hashlib.sha256()
    for name in raw.columns:
        digest.update(f"{name}\0{raw[name].dtype}\0".encode())
        digest.update(pd.util.hash_pandas_object(raw[name], index=False).to_numpy().tobytes())
    return digest.hexdigest()
