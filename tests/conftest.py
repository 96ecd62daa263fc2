"""What several packages' tests share: the project, its config and its data."""

import pytest

from ml_project.config import MODELLING, SCORING, Config
from ml_project.config_sources import merge
from ml_project.data.retrieval import read_historic
from ml_project.project_package import load_project
from ml_project.use_case_file import load_use_case
from tests.workspace import TITANIC, USE_CASE, choose_example

SWITCHES = {"modelling": MODELLING, "prediction": SCORING}


def pytest_configure():
    choose_example()


@pytest.fixture(scope="session")
def project():
    return load_project()


@pytest.fixture
def make_config(tmp_path):
    """Return a function that gives the use case's config, made quick and writing below ``tmp_path``, with changes."""

    def make(run_mode="modelling", **sections):
        use_case = load_use_case(USE_CASE, SWITCHES[run_mode])
        values = use_case.model_dump(exclude_unset=True)
        quick = {
            "data": {"source": str(TITANIC)},
            "modelling": {
                "candidates": ("baseline", "linear", "decision_tree"),
                "n_hyperparameter_optimisation_runs": 2,
                "search_directory": tmp_path / "search",
            },
            "evaluation": {"directory": tmp_path / "evaluation", "explain": False, "n_bootstrap_samples": 50},
            "artifacts": {"path": tmp_path / "model.zip"},
            "prediction": {"output": tmp_path / "predictions.csv"},
            "tracking": {"enabled": False, "tracking_uri": f"sqlite:///{tmp_path}/mlflow.db"},
            "compute": {"n_processes": 1},
        }
        return Config.model_validate(merge(merge(values, quick), sections))

    return make


@pytest.fixture(scope="session")
def titanic_raw(project):
    config = load_use_case(USE_CASE, MODELLING)
    data = config.data.model_copy(update={"source": str(TITANIC)})
    return read_historic(data, project.schema)
