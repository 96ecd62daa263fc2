"""Which types a stored model may consist of: decided here, never read from the file.

skops stores a model without pickle and names the types that it needs. Beside the types that skops trusts by itself
(scikit-learn's estimators, numpy arrays, plain containers), only those of :data:`TRUSTED_TYPES` and of the packages
:data:`TRUSTED_PACKAGES` are accepted. An own estimator is accepted once its package stands in
:data:`TRUSTED_PACKAGES`.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from ml_project.errors import ArtifactDamagedError, ArtifactError

TRUSTED_TYPES: frozenset[str] = frozenset(
    {
        "collections.OrderedDict",
        "numpy.dtype",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Matern",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.gaussian_process.kernels.Sum",
        "sklearn.gaussian_process.kernels.WhiteKernel",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "catboost.core.CatBoostClassifier",
        "catboost.core.CatBoostRegressor",
    }
)
"""Full names of single types."""

TRUSTED_PACKAGES: tuple[str, ...] = ("ml_project.modelling", "ml_project.preprocessing", "ml_project.project")
"""Packages all of whose types are accepted; add the package of an own estimator here."""

MAX_UNPACKED_BYTES_PER_BYTE = 200
"""Largest expansion of a stored model; trees reach about 30."""


def dump_model(model: Any) -> bytes:
    """Return a fitted scikit-learn pipeline in the skops format, without code.

    Raises
    ------
    ArtifactError
        When the pipeline has parts that cannot be stored, or that loading would refuse.
    """
    import skops.io

    try:
        content: bytes = skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED)
    except Exception as error:
        raise ArtifactError(f"The model cannot be stored: {_of(error)}; use another candidate") from error
    refuse_untrusted(content)
    return content


def load_model(content: bytes) -> Any:
    """Return the pipeline that :func:`dump_model` stored.

    Raises
    ------
    ArtifactError
        When the model has types that are not trusted.
    ArtifactDamagedError
        When the content is no stored model.
    """
    import skops.io

    trusted = refuse_untrusted(content)
    try:
        return skops.io.loads(content, trusted=trusted)
    except Exception as error:
        raise ArtifactDamagedError(f"The stored model cannot be restored: {_of(error)}; export it again") from error


def refuse_untrusted(content: bytes) -> list[str]:
    """Return the types that a stored model needs beside those of skops, when all of them are trusted.

    Raises
    ------
    ArtifactError
        When a type is not trusted; nothing of it has been imported or run.
    ArtifactDamagedError
        When the content is no stored model.
    """
    import skops.io

    _refuse_bomb(content)
    try:
        needed: list[str] = skops.io.get_untrusted_types(data=content)
    except Exception as error:
        raise ArtifactDamagedError(f"The stored model cannot be read: {_of(error)}; export it again") from error
    refused = [name for name in needed if not _is_trusted(name)]
    if refused:
        raise ArtifactError(
            f"The stored model needs types that are not trusted: {', '.join(refused)}; if they belong to an estimator "
            "of yours, add its package to TRUSTED_PACKAGES in ml_project/artifacts/trust.py, and types of a library "
            "that it holds to TRUSTED_TYPES; otherwise leave it"
        )
    return needed


def _is_trusted(name: str) -> bool:
    return name in TRUSTED_TYPES or name.startswith(tuple(f"{package}." for package in TRUSTED_PACKAGES))


def _refuse_bomb(content: bytes) -> None:
    """Refuse a stored model that would unpack to a multiple of what models do."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ArtifactDamagedError(f"The stored model is no skops file: {error}; export it again") from error
    if n_bytes > MAX_UNPACKED_BYTES_PER_BYTE * len(content):
        raise ArtifactDamagedError(
            f"The stored model unpacks from {len(content):,} to {n_bytes:,} bytes, which no model does; export it again"
        )


def _of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
