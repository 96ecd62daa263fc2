"""Where the config's values come from, and the errors when they do not fit."""

import pytest
from pydantic import ValidationError

from ml_project.config import Config, DataConfig, FeaturesConfig
from ml_project.config_sources import explain, load_config
from ml_project.errors import ConfigError


@pytest.fixture
def use_case():
    return Config(data=DataConfig(source="use_case.csv", target_column="y"), features=FeaturesConfig(columns=("x",)))


def test_load_config_later_sources_win(tmp_path, use_case):
    project_file, config_file = tmp_path / "project_config.yaml", tmp_path / "run.yaml"
    project_file.write_text("compute: {seed: 1, n_processes: 1}\ndata: {source: project.csv}\nsplits: {n_folds: 3}\n")
    config_file.write_text("splits: {n_folds: 4, holdout_share: 0.3}\nevaluation: {explain: false}\n")
    config = load_config(
        use_case,
        config_file=config_file,
        environment={"ML_PROJECT_SPLITS__HOLDOUT_SHARE": "0.4", "ML_PROJECT_EVALUATION__EXPLAIN": "true", "HOME": "/"},
        options={"evaluation.explain": "false"},
        project_config_file=project_file,
    )
    assert (config.compute.seed, config.compute.n_processes) == (1, 1)  # project_config.yaml over defaults
    assert config.data.source == "use_case.csv"  # use case over project_config.yaml
    assert config.splits.n_folds == 4  # --config over project_config.yaml
    assert config.splits.holdout_share == 0.4  # environment over --config
    assert config.evaluation.explain is False  # command line over environment


def test_load_config_wrong_values_all_are_listed_with_their_source(tmp_path, use_case):
    config_file = tmp_path / "run.yaml"
    config_file.write_text("modelling: {prne: true}\n")
    with pytest.raises(ConfigError, match="nothing was started") as caught:
        load_config(
            use_case,
            config_file=config_file,
            environment={"ML_PROJECT_SPLITS__N_FOLDS": "1", "ML_PROJECT_SPLITS__STRATEGY": "grouped"},
            options={"features.colums": "a", "execution": "deployed", "compute.seed": "x"},
            project_config_file=tmp_path / "none.yaml",
        )
    lines = str(caught.value).splitlines()
    assert lines[0] == "The config is not usable; nothing was started."
    assert set(lines[1:]) == {
        "  - features.colums: is not a field; did you mean 'features.columns'? (from the command line)",
        f"  - modelling.prne: is not a field; did you mean 'modelling.prune'? (from {config_file})",
        "  - splits.n_folds = '1': allowed: whole number >= 2 (from the environment)",
        "  - compute.seed = 'x': allowed: whole number >= 0 and < 4294967296 (from the command line)",
        "  - splits: splits.strategy is 'grouped' but splits.group_column is not set; name the column"
        " (from the environment)",
        "  - run_mode + data_origin + execution cannot be modelling + historic + deployed; allowed: "
        "modelling + historic + local; prediction + historic + local; prediction + production + local; "
        "prediction + production + deployed",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        ("a: [", "cannot be read as YAML"),
        ("- a\n- b\n", "must hold a mapping"),
        (b"\xff\xfe\x00a", "cannot be read as YAML"),
    ],
)
def test_load_config_unreadable_file_says_why(tmp_path, use_case, content, message):
    config_file = tmp_path / "run.yaml"
    if content is not None:
        config_file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=message):
        load_config(use_case, config_file=config_file, project_config_file=tmp_path / "none.yaml")


def test_load_config_without_use_case_names_what_must_be_set(tmp_path):
    with pytest.raises(ConfigError, match=r"data: must be set") as caught:
        load_config(project_config_file=tmp_path / "none.yaml")
    assert "features: must be set" in str(caught.value)


def test_load_config_secret_value_is_not_shown(tmp_path, use_case):
    config_file = tmp_path / "run.yaml"
    config_file.write_text("data: {storage_options: {secret: hunter2}, missing_values: 3}\nkey: hunter2\n")
    with pytest.raises(ConfigError, match="key: is not a field") as caught:
        load_config(use_case, config_file=config_file, project_config_file=tmp_path / "none.yaml")
    assert "hunter2" not in str(caught.value)


def test_explain_config_built_in_code_gives_readable_problems():
    with pytest.raises(ValidationError) as caught:
        Config(data={"source": "a", "target_column": "b"}, features={"colums": ["a"]}, splits={"n_folds": 0})
    text = str(explain(caught.value))
    assert "features.colums: is not a field; did you mean 'features.columns'?" in text
    assert "splits.n_folds = 0: allowed: whole number >= 2" in text


def test_load_config_variables_of_the_deployments_tests_are_no_fields(tmp_path, use_case):
    environment = {"ML_PROJECT_DEPLOYMENT_KEY": "hunter2", "ML_PROJECT_COMPUTE__SEED": "5"}
    config = load_config(use_case, environment=environment, project_config_file=tmp_path / "none.yaml")
    assert config.compute.seed == 5
