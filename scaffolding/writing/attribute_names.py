"""Names of Python attributes for columns, which may be called anything."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Sequence

MAX_LENGTH = 60
MAX_ARGUMENT_LENGTH = 30

USED_IN_SCHEMA = frozenset({"pa", "pd", "Series", "int", "float", "bool", "str"})
"""Names that the class body of the schema needs: an attribute of that name would hide them from the next one."""
HARD_TO_READ = frozenset({"l", "O", "I"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


def attribute_names(names: Sequence[str]) -> dict[str, str]:
    """Return the attribute of the schema's class for each column: its own name wherever that is possible.

    Parameters
    ----------
    names
        Columns, all different.

    Examples
    --------
    >>> list(attribute_names(["age", "Customer ID", "customer.id", "class", "2nd", "Größe (cm)"]).values())
    ['age', 'customer_id', 'customer_id_2', 'class_', 'column_2nd', 'groesse_cm']
    """
    reserved = _reserved()
    attributes = {name: name for name in names if _is_usable(name, reserved)}
    taken = {*attributes.values()}
    for name in names:
        if name not in attributes:
            attributes[name] = _free_name(readable(name), reserved, taken)
            taken.add(attributes[name])
    return {name: attributes[name] for name in names}


def argument_names(names: Sequence[str]) -> dict[str, str]:
    """Return a name in small letters for each column, for arguments and functions: no keyword, nothing built in.

    Parameters
    ----------
    names
        Columns, all different.

    Examples
    --------
    >>> list(argument_names(["Age", "max", "Fare (total)", "fare total"]).values())
    ['age', 'max_', 'fare_total', 'fare_total_2']
    """
    reserved = {*keyword.kwlist, *dir(builtins), *HARD_TO_READ, "row_feature"}
    found: dict[str, str] = {}
    for name in names:
        wanted = readable(name)[:MAX_ARGUMENT_LENGTH].strip("_")
        found[name] = _free_name(wanted, reserved, found.values())
    return found


def _reserved() -> frozenset[str]:
    import pandera.pandas as pa

    return frozenset({*dir(pa.DataFrameModel), *USED_IN_SCHEMA, *HARD_TO_READ, *keyword.kwlist})


def _is_usable(name: str, reserved: Collection[str]) -> bool:
    """Return whether a column's name can be the attribute: legal, public, plain and in a usual spelling."""
    spelt_usually = not re.match(r"[a-z][^_]*[A-Z]", name)
    legal = name.isidentifier() and name.isascii() and not name.startswith("_") and len(name) <= MAX_LENGTH
    return legal and spelt_usually and name not in reserved


def readable(name: str) -> str:
    """Return small ASCII words joined by underscores that are nearest to a name.

    Examples
    --------
    >>> readable("Größe (cm)"), readable("customerID"), readable("!")
    ('groesse_cm', 'customer_id', 'column')
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(_GERMAN))
    ascii_only = "".join(character for character in plain if not unicodedata.combining(character))
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", ascii_only)
    words = re.sub(r"[^a-zA-Z0-9]+", "_", apart).strip("_").lower()[:MAX_LENGTH].strip("_")
    if not words:
        return "column"
    return words if words[0].isalpha() else f"column_{words}"


def _free_name(wanted: str, reserved: Collection[str], taken: Collection[str]) -> str:
    base = f"{wanted}_" if wanted in reserved else wanted
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{wanted}_{number}"
    return found
