"""The models that compete by default, each with its search space, from the simplest to the most complex."""

from __future__ import annotations

from typing import Any

from ml_project.modelling.candidates import Candidate, FitSettings
from ml_project.modelling.search_space import Real, Whole


def build_baseline(settings: FitSettings) -> Any:
    """Return the model that knows the target's distribution only: the most frequent class, or the mean."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyRegressor(strategy="mean") if settings.task == "regression" else DummyClassifier(strategy="prior")


def build_rule(settings: FitSettings) -> Any:
    """Return the best single if-then-else rule: one threshold on one column."""
    return build_decision_tree(settings).set_params(max_depth=1)


def build_linear(settings: FitSettings) -> Any:
    """Return a regularised linear model."""
    from sklearn.linear_model import LogisticRegression, Ridge

    if settings.task == "regression":
        return Ridge(random_state=settings.seed)
    return LogisticRegression(max_iter=2000, random_state=settings.seed)


def build_decision_tree(settings: FitSettings) -> Any:
    """Return a single decision tree."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    tree = DecisionTreeRegressor if settings.task == "regression" else DecisionTreeClassifier
    return tree(random_state=settings.seed)


def build_random_forest(settings: FitSettings) -> Any:
    """Return a random forest of 100 trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = RandomForestRegressor if settings.task == "regression" else RandomForestClassifier
    return forest(n_estimators=100, n_jobs=settings.n_threads, random_state=settings.seed)


def build_histogram_boosting(settings: FitSettings) -> Any:
    """Return scikit-learn's histogram-based gradient boosting; some L2 keeps it from diverging on rare classes."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    boosting = HistGradientBoostingRegressor if settings.task == "regression" else HistGradientBoostingClassifier
    return boosting(l2_regularization=1.0, early_stopping=False, random_state=settings.seed)


def build_xgboost(settings: FitSettings) -> Any:
    """Return XGBoost's gradient boosting."""
    from xgboost import XGBClassifier, XGBRegressor

    boosting = XGBRegressor if settings.task == "regression" else XGBClassifier
    device = "cuda" if settings.device == "gpu" else "cpu"
    return boosting(
        n_jobs=settings.n_threads, random_state=settings.seed, device=device, tree_method="hist", verbosity=0
    )


def build_lightgbm(settings: FitSettings) -> Any:
    """Return LightGBM's gradient boosting."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    boosting = LGBMRegressor if settings.task == "regression" else LGBMClassifier
    return boosting(
        n_jobs=settings.n_threads,
        random_state=settings.seed,
        device_type=settings.device,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


def build_catboost(settings: FitSettings) -> Any:
    """Return CatBoost's gradient boosting; it writes no files of its own."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    boosting = CatBoostRegressor if settings.task == "regression" else CatBoostClassifier
    return boosting(
        iterations=200,
        thread_count=settings.n_threads,
        random_seed=settings.seed,
        task_type=settings.device.upper(),
        allow_writing_files=False,
        verbose=False,
    )


STANDARD_CANDIDATES: tuple[Candidate, ...] = (
    Candidate("baseline", 0, build_baseline),
    Candidate("rule", 1, build_rule),
    Candidate(
        "linear",
        2,
        build_linear,
        (Real("C", 1e-3, 1e3, default=1.0, log=True),),
        regression_search_space=(Real("alpha", 1e-3, 1e3, default=1.0, log=True),),
    ),
    Candidate(
        "decision_tree",
        3,
        build_decision_tree,
        (
            Whole("max_depth", 2, 16, default=6),
            Whole("min_samples_leaf", 1, 64, default=8, log=True),
            Real("ccp_alpha", 1e-6, 1e-2, default=1e-4, log=True),
        ),
    ),
    Candidate(
        "random_forest",
        4,
        build_random_forest,
        (
            Whole("max_depth", 3, 24, default=12),
            Whole("min_samples_leaf", 1, 32, default=2, log=True),
            Real("max_features", 0.1, 1.0, default=0.4),
        ),
    ),
    Candidate(
        "histogram_boosting",
        5,
        build_histogram_boosting,
        (
            Real("learning_rate", 0.01, 0.3, default=0.1, log=True),
            Whole("max_iter", 50, 400, default=100, log=True),
            Whole("max_leaf_nodes", 4, 64, default=31, log=True),
            Whole("min_samples_leaf", 5, 64, default=20, log=True),
            Real("l2_regularization", 1e-2, 10.0, default=1.0, log=True),
        ),
    ),
    Candidate(
        "xgboost",
        6,
        build_xgboost,
        (
            Real("learning_rate", 0.01, 0.3, default=0.1, log=True),
            Whole("n_estimators", 50, 400, default=100, log=True),
            Whole("max_depth", 2, 10, default=5),
            Real("subsample", 0.5, 1.0, default=0.9),
            Real("colsample_bytree", 0.4, 1.0, default=0.9),
            Real("reg_lambda", 1e-2, 10.0, default=1.0, log=True),
        ),
        uses_gpu=True,
    ),
    Candidate(
        "lightgbm",
        7,
        build_lightgbm,
        (
            Real("learning_rate", 0.01, 0.3, default=0.1, log=True),
            Whole("n_estimators", 50, 400, default=100, log=True),
            Whole("num_leaves", 4, 64, default=31, log=True),
            Whole("min_child_samples", 5, 64, default=20, log=True),
            Real("reg_lambda", 1e-2, 10.0, default=1.0, log=True),
        ),
        uses_gpu=True,
    ),
    Candidate(
        "catboost",
        8,
        build_catboost,
        (
            Real("learning_rate", 0.01, 0.3, default=0.08, log=True),
            Whole("iterations", 50, 400, default=200, log=True),
            Whole("depth", 3, 8, default=6),
            Real("l2_leaf_reg", 0.5, 20.0, default=3.0, log=True),
        ),
        uses_gpu=True,
    ),
)
