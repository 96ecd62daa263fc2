"""The preprocessing steps of a pipeline, from the config: a step set to null is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_project.config import EncodingConfig, ImputingConfig, PreprocessingConfig, Task
from ml_project.data.columns import MISSING_CATEGORY, FeatureKind
from ml_project.errors import ConfigError, Problem

Step = tuple[str, Any]
"""A name and an estimator, as pipelines take them."""


def build_preprocessing(
    config: PreprocessingConfig, kinds: Mapping[str, FeatureKind], *, task: Task, seed: int
) -> list[Step]:
    """Return the unfitted steps that turn engineered data into preprocessed data, a dense float64 array.

    Parameters
    ----------
    config
        Which steps, and how.
    kinds
        Kind of each engineered column, as ``FeatureEngineering.kinds`` gives them.
    task
        Kind of the target; classes are coded 0 to k - 1.
    seed
        Start of every random sequence.

    Returns
    -------
    list of (str, estimator)
        Steps for an ``imblearn.pipeline.Pipeline``, since the outlier step drops rows: ``encoding``, then where
        configured ``outlier_removal``, ``selection`` and ``reduction``.

    Raises
    ------
    ConfigError
        When steps do not fit the task or one another.

    Examples
    --------
    >>> steps = build_preprocessing(PreprocessingConfig(), {"age": "number", "deck": "category"}, task="binary", seed=0)
    >>> [name for name, _ in steps]
    ['encoding']
    """
    _check_combination(config, kinds, task)
    steps = [
        ("encoding", _encoding(config, kinds, task, seed)),
        ("outlier_removal", _outlier_removal(config, task, seed)),
        ("selection", _selection(config, task, seed)),
        ("reduction", _reduction(config, seed)),
    ]
    return [(name, step) for name, step in steps if step is not None]


def without_samplers(pipeline: Any) -> Any:
    """Return a fitted imblearn pipeline as a plain scikit-learn one, for prediction: row-dropping steps left out.

    Parameters
    ----------
    pipeline
        Fitted ``imblearn.pipeline.Pipeline``; its other steps are shared, not copied.
    """
    from sklearn.pipeline import Pipeline

    return Pipeline([(name, step) for name, step in pipeline.steps if not hasattr(step, "fit_resample")])


def _check_combination(config: PreprocessingConfig, kinds: Mapping[str, FeatureKind], task: Task) -> None:
    problems = []
    if config.reduction is not None and config.reduction.method == "lda":
        if task == "regression":
            problems.append(Problem("'lda' separates classes, not numbers; choose 'pca'", "reduction.method"))
        if isinstance(config.reduction.n_components, float):
            problems.append(
                Problem("a share of variance is for 'pca'; give 'lda' a whole number", "reduction.n_components")
            )
    needing_all_values = {
        "outlier_removal": config.outlier_removal is not None and config.outlier_removal.method == "elliptic_envelope",
        "selection": config.selection is not None and config.selection.method == "sequential",
        "reduction": config.reduction is not None,
    }
    if config.imputing is None and "number" in kinds.values():
        problems += [
            Problem("cannot work with missing numbers; set preprocessing.imputing", field)
            for field, needing in needing_all_values.items()
            if needing
        ]
    if problems:
        raise ConfigError("preprocessing does not fit together:", problems)


def _encoding(config: PreprocessingConfig, kinds: Mapping[str, FeatureKind], task: Task, seed: int) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import MissingIndicator

    numbers = [name for name, kind in kinds.items() if kind == "number"]
    categories = [name for name, kind in kinds.items() if kind == "category"]
    branches: list[tuple[str, Any, list[str]]] = []
    if numbers:
        branches.append(("numbers", _number_branch(config), numbers))
    if numbers and config.imputing is not None and config.imputing.indicators:
        # A branch of its own, so that indicators stay 0 and 1 where numbers are scaled.
        branches.append(("indicators", MissingIndicator(features="missing-only", error_on_new=False), numbers))
    if categories:
        branches.append(("categories", _category_branch(config, task, seed), categories))
    return ColumnTransformer(branches, sparse_threshold=0.0)


def _number_branch(config: PreprocessingConfig) -> Any:
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    scalers = {"standard": StandardScaler, "min_max": MinMaxScaler, "robust": RobustScaler}
    steps = [] if config.imputing is None else [("impute", _number_imputer(config.imputing))]
    if config.scaling is not None:
        steps.append(("scale", scalers[config.scaling]()))
    return _pipeline(steps)


def _number_imputer(imputing: ImputingConfig) -> Any:
    from sklearn.impute import SimpleImputer

    if imputing.number == "zero":
        return SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
    return SimpleImputer(strategy=imputing.number, keep_empty_features=True)


def _category_branch(config: PreprocessingConfig, task: Task, seed: int) -> Any:
    from sklearn.impute import SimpleImputer

    steps: list[Step] = []
    if config.imputing is not None:
        strategy = "constant" if config.imputing.category == "missing" else "most_frequent"
        imputer = SimpleImputer(
            missing_values=MISSING_CATEGORY, strategy=strategy, fill_value="missing", keep_empty_features=True
        )
        steps.append(("impute", imputer))
    return _pipeline([*steps, ("encode", _encoder(config.encoding, task, seed))])


def _encoder(encoding: EncodingConfig, task: Task, seed: int) -> Any:
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

    grouping = {"min_frequency": encoding.min_rows, "max_categories": encoding.max_categories}
    if encoding.method == "onehot":
        return OneHotEncoder(handle_unknown="ignore", sparse_output=False, **grouping)
    if encoding.method == "ordinal":
        return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, **grouping)
    # Target encoding shrinks rare categories towards the mean by itself. KFold, because a class may be in few rows.
    # Classes are counted by the encoder, because the rows of a multi-class task, or of one fold of it, may have two.
    target_type = "continuous" if task == "regression" else "auto"
    return TargetEncoder(target_type=target_type, cv=KFold(5, shuffle=True, random_state=seed))


def _outlier_removal(config: PreprocessingConfig, task: Task, seed: int) -> Any:
    if config.outlier_removal is None:
        return None
    from imblearn import FunctionSampler

    from ml_project.preprocessing.outliers import drop_outliers

    options = {**config.outlier_removal.model_dump(), "classification": task != "regression", "seed": seed}
    return FunctionSampler(func=drop_outliers, kw_args=options, validate=False)


def _selection(config: PreprocessingConfig, task: Task, seed: int) -> Any:
    if config.selection is None:
        return None
    if config.selection.method == "variance":
        from sklearn.feature_selection import VarianceThreshold

        return VarianceThreshold(config.selection.threshold)
    from ml_project.preprocessing.selection import ForwardSelection

    return ForwardSelection(config.selection.share, classification=task != "regression", seed=seed)


def _reduction(config: PreprocessingConfig, seed: int) -> Any:
    if config.reduction is None:
        return None
    if config.reduction.method == "pca":
        from sklearn.decomposition import PCA

        return PCA(0.95 if config.reduction.n_components is None else config.reduction.n_components, random_state=seed)
    from ml_project.preprocessing.reduction import DiscriminantReduction

    return DiscriminantReduction(config.reduction.n_components)  # type: ignore[arg-type]  # a share is refused above


def _pipeline(steps: list[Step]) -> Any:
    from sklearn.pipeline import Pipeline

    return Pipeline(steps) if steps else "passthrough"
