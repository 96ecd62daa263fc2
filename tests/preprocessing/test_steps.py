import itertools

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ml_project.config import (
    EncodingConfig,
    ImputingConfig,
    OutlierRemovalConfig,
    PreprocessingConfig,
    ReductionConfig,
    SelectionConfig,
)
from ml_project.errors import ConfigError
from ml_project.preprocessing.steps import build_preprocessing, without_samplers

TASKS = ("binary", "multiclass", "regression")
GRID = list(
    itertools.product(
        (ImputingConfig(), ImputingConfig(number="zero", category="most_frequent", indicators=False)),
        ("standard", "min_max", "robust", None),
        ("onehot", "ordinal", "target"),
        (None, "isolation_forest", "elliptic_envelope"),
        (None, "variance", "sequential"),
        (None, "pca", "lda"),
    )
)


def _config(imputing, scaling, encoding, outliers, selection, reduction):
    return PreprocessingConfig(
        imputing=imputing,
        scaling=scaling,
        encoding=EncodingConfig(method=encoding),
        outlier_removal=outliers and OutlierRemovalConfig(method=outliers),
        selection=selection and SelectionConfig(method=selection),
        reduction=reduction and ReductionConfig(method=reduction),
    )


def _pipeline(config, kinds, task="binary"):
    model = (DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier)(max_depth=3, random_state=0)
    return Pipeline([*build_preprocessing(config, kinds, task=task, seed=0), ("model", model)])


def _encode(config, kinds, train, test, task="binary", target=None):
    (_, encoding), *_ = build_preprocessing(config, kinds, task=task, seed=0)
    encoding.fit(train, target)
    names = [name.split("__", 1)[1] for name in encoding.get_feature_names_out()]
    return pd.DataFrame(encoding.transform(test), columns=names)


# The grid has 648 combinations; every 23rd one visits every value of every step, and each task its own ones.
@pytest.mark.parametrize("number", range(len(TASKS)))
def test_pipeline_combinations_fit_and_predict_every_row(number, engineered, kinds, targets):
    task = TASKS[number]
    unseen = engineered.assign(port="unseen", age=np.nan)
    for combination in GRID[number::23]:
        if task == "regression" and combination[-1] == "lda":
            continue
        pipeline = _pipeline(_config(*combination), kinds, task).fit(engineered, targets[task])
        assert len(pipeline.predict(unseen)) == len(unseen), combination
        assert len(pipeline.predict(unseen.iloc[:1])) == 1, combination


@pytest.mark.parametrize("kind", ["number", "category"])
def test_pipeline_columns_of_one_kind_only_works(kind, engineered, kinds, targets):
    some = {name: found for name, found in kinds.items() if found == kind}
    pipeline = _pipeline(PreprocessingConfig(), some).fit(engineered, targets["binary"])
    assert len(pipeline.predict(engineered)) == len(engineered)


def test_build_preprocessing_default_has_encoding_only(kinds):
    steps = build_preprocessing(PreprocessingConfig(), kinds, task="binary", seed=0)
    assert [name for name, _ in steps] == ["encoding"]


def test_build_preprocessing_all_steps_stand_in_order_and_clone(kinds):
    config = _config(ImputingConfig(), "standard", "onehot", "isolation_forest", "variance", "pca")
    steps = build_preprocessing(config, kinds, task="binary", seed=0)
    assert [name for name, _ in steps] == ["encoding", "outlier_removal", "selection", "reduction"]
    for _, step in steps:
        clone(step)


def test_encoding_gives_dense_float64_and_leaves_input_unchanged(engineered, kinds, targets):
    before = engineered.copy(deep=True)
    for method in ("onehot", "ordinal", "target"):
        config = PreprocessingConfig(encoding=EncodingConfig(method=method))
        ((_, encoding),) = build_preprocessing(config, kinds, task="binary", seed=0)
        result = encoding.fit_transform(engineered, targets["binary"])
        assert isinstance(result, np.ndarray)
        assert result.dtype == np.float64
        assert np.isfinite(result).all()
    pd.testing.assert_frame_equal(engineered, before)


def test_encoding_indicators_mark_missing_numbers_unscaled(engineered, kinds):
    result = _encode(PreprocessingConfig(), kinds, engineered, engineered)
    assert result["missingindicator_age"].tolist() == engineered["age"].isna().astype(float).tolist()
    assert "missingindicator_fare" not in result
    without = PreprocessingConfig(imputing=ImputingConfig(indicators=False))
    assert "missingindicator_age" not in _encode(without, kinds, engineered, engineered)


@pytest.mark.parametrize(
    ("number", "expected"), [("median", 2.0), ("mean", 3.0), ("most_frequent", 1.0), ("zero", 0.0)]
)
def test_encoding_missing_number_is_filled_from_training(number, expected):
    config = PreprocessingConfig(imputing=ImputingConfig(number=number, indicators=False), scaling=None)
    train = pd.DataFrame({"x": [1.0, 1.0, 2.0, 3.0, 8.0, np.nan]})
    assert _encode(config, {"x": "number"}, train, pd.DataFrame({"x": [np.nan]})).loc[0, "x"] == expected


def test_encoding_no_imputing_leaves_numbers_missing(engineered, kinds):
    result = _encode(PreprocessingConfig(imputing=None), kinds, engineered, engineered)
    assert result["age"].isna().tolist() == engineered["age"].isna().tolist()


def test_encoding_all_null_columns_become_constant(engineered, kinds):
    engineered = engineered.assign(age=np.nan, port=pd.Series([""] * len(engineered), dtype=object))
    for category in ("missing", "most_frequent"):
        config = PreprocessingConfig(imputing=ImputingConfig(category=category))
        result = _encode(config, kinds, engineered, engineered)
        assert (result["age"] == 0).all()
        assert (result["missingindicator_age"] == 1).all()
        assert np.isfinite(result.to_numpy()).all()


def test_encoding_onehot_rare_and_missing_have_columns_and_unseen_is_zeros(engineered, kinds):
    test = engineered.iloc[:4].assign(deck=pd.Series(["A", "R1", "R2", "unseen"], dtype=object), port="")
    result = _encode(PreprocessingConfig(), kinds, engineered, test)
    decks = result[["deck_A", "deck_B", "deck_infrequent_sklearn"]]
    assert decks.to_numpy().tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert (result["port_missing"] == 1).all()


def test_encoding_most_categories_are_limited(engineered, kinds):
    config = PreprocessingConfig(encoding=EncodingConfig(min_rows=1, max_categories=2))
    result = _encode(config, kinds, engineered, engineered)
    assert sum(name.startswith("deck_") for name in result) == 2


def test_encoding_ordinal_rare_share_a_code_and_unseen_is_minus_one(engineered, kinds):
    config = PreprocessingConfig(encoding=EncodingConfig(method="ordinal"))
    test = engineered.iloc[:4].assign(deck=pd.Series(["A", "R1", "R2", "unseen"], dtype=object))
    assert _encode(config, kinds, engineered, test)["deck"].tolist() == [0.0, 2.0, 2.0, -1.0]


def test_encoding_target_unseen_is_mean_and_training_is_cross_fitted(engineered, targets):
    config = PreprocessingConfig(encoding=EncodingConfig(method="target"))
    train = engineered[["deck"]].assign(deck=pd.Series([f"own{row}" for row in range(len(engineered))], dtype=object))
    y = targets["regression"]
    ((_, encoding),) = build_preprocessing(config, {"deck": "category"}, task="regression", seed=0)
    fitted = encoding.fit_transform(train, y).ravel()
    assert abs(np.corrcoef(fitted, y)[0, 1]) < 0.5
    assert encoding.transform(pd.DataFrame({"deck": ["unseen"]}, dtype=object))[0, 0] == pytest.approx(y.mean())


def test_encoding_target_same_seed_gives_same_result(engineered, kinds, targets):
    config = PreprocessingConfig(encoding=EncodingConfig(method="target"))
    results = []
    for seed in (0, 0, 1):
        ((_, encoding),) = build_preprocessing(config, kinds, task="multiclass", seed=seed)
        results.append(encoding.fit_transform(engineered, targets["multiclass"]))
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_encoding_target_multiclass_task_of_two_classes_fits(engineered, kinds, targets):
    config = PreprocessingConfig(encoding=EncodingConfig(method="target"))
    ((_, encoding),) = build_preprocessing(config, kinds, task="multiclass", seed=0)
    assert np.isfinite(encoding.fit_transform(engineered, targets["binary"])).all()


def test_transform_of_test_rows_depends_on_training_rows_only(engineered, kinds, targets):
    config = _config(ImputingConfig(), "standard", "onehot", "isolation_forest", "variance", "pca")
    pipeline = _pipeline(config, kinds).fit(engineered.iloc[:40], targets["binary"][:40])
    transformer = without_samplers(pipeline)[:-1]
    together = transformer.transform(engineered.iloc[40:])
    alone = np.vstack([transformer.transform(engineered.iloc[[row]]) for row in range(40, len(engineered))])
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_without_samplers_predicts_the_same_without_imblearn(engineered, kinds, targets):
    config = _config(ImputingConfig(), "standard", "onehot", "isolation_forest", None, None)
    fitted = _pipeline(config, kinds).fit(engineered, targets["binary"])
    plain = without_samplers(fitted)
    assert [name for name, _ in plain.steps] == ["encoding", "model"]
    assert type(plain).__module__ == "sklearn.pipeline"
    np.testing.assert_array_equal(plain.predict(engineered), fitted.predict(engineered))


@pytest.mark.parametrize(
    ("config", "task", "message"),
    [
        (PreprocessingConfig(reduction=ReductionConfig(method="lda")), "regression", "'lda' separates classes"),
        (PreprocessingConfig(reduction=ReductionConfig(method="lda", n_components=0.5)), "binary", "whole number"),
        (
            _config(None, None, "onehot", "elliptic_envelope", "sequential", "pca"),
            "binary",
            "(?s)outlier_removal: cannot work with missing.*selection: cannot.*reduction: cannot",
        ),
    ],
)
def test_build_preprocessing_steps_that_do_not_fit_are_refused(config, task, message, kinds):
    with pytest.raises(ConfigError, match=message):
        build_preprocessing(config, kinds, task=task, seed=0)
