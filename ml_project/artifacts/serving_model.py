"""The part of a fitted estimator that a server needs: preprocessing and model, on the processor, on one thread."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

_OWN_PACKAGE = __name__.split(".", maxsplit=1)[0]
_EVERYWHERE = {"builtins", "collections", "numpy", "scipy", "sklearn", _OWN_PACKAGE}


def serving_model(estimator: Any) -> Any:
    """Return preprocessing and model of a fitted estimator as a scikit-learn pipeline of their own.

    Steps that only training needs are left out. Models run on one thread, so that a forest sums its trees in the same
    order for one row as for many, and on the processor, wherever they were fitted.

    Parameters
    ----------
    estimator
        Fitted pipeline whose first step is ``features``; it is not changed.
    """
    import copy

    from sklearn.pipeline import Pipeline

    from ml_project.preprocessing.steps import without_samplers

    steps = without_samplers(estimator).steps
    model = Pipeline([(name, copy.deepcopy(step)) for name, step in steps if name != "features"])
    parallel = [name for name, value in model.get_params().items() if name.endswith("__n_jobs") and value is not None]
    model.set_params(**dict.fromkeys(parallel, 1))
    _move_to_processor(model.steps[-1][1])
    return model


def model_packages(content: bytes) -> tuple[str, ...]:
    """Return the import names of the packages that a stored model needs beside scikit-learn.

    Parameters
    ----------
    content
        Model in the skops format.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
    return tuple(sorted({module.split(".")[0] for module in _modules(schema)} - _EVERYWHERE))


def _modules(node: Any) -> Iterator[str]:
    """Yield the modules that the nodes of a skops schema name."""
    children: list[Any] = [node]
    while children:
        child = children.pop()
        if isinstance(child, dict):
            if isinstance(child.get("__module__"), str):
                yield child["__module__"]
            children.extend(child.values())
        elif isinstance(child, list):
            children.extend(child)


def _move_to_processor(model: Any) -> None:
    """Make an XGBoost model predict on the processor, on one thread; others need nothing."""
    if type(model).__module__.startswith("xgboost."):
        model.set_params(device="cpu")
        model.get_booster().set_param({"device": "cpu", "nthread": 1})
