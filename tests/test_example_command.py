"""The printed example: taken by the service on every route that its forms are for, whatever the schema looks like."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.typing.pandas import Series

from ml_project.cli import main
from ml_project.config import MODELLING, Config
from ml_project.data.schema_reader import read_schema
from ml_project.example_command import WRITERS
from ml_project.feature_engineering.ready_made import DatePart
from ml_project.modelling.project_parts import Project
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES
from ml_project.modelling.training import train
from ml_project.serving.assembly import assemble_service
from ml_project.serving.messages import HttpRequest

N_ROWS = 80
ROUTES = {
    "json": ("/predict", "application/json"),
    "csv": ("/invocations", "text/csv"),
    "mlflow": ("/invocations", "application/json"),
    "v2": ("/v2/models/model/infer", "application/json"),
}


class Awkward(pa.DataFrameModel):
    """Names and values that break what is not written with care."""

    bought: Series[str] = pa.Field(isin=["no", "yes"])
    s_1: Series[float] = pa.Field(alias="s 1", ge=0, le=1)
    size: Series[float] = pa.Field(alias='größe, "cm"', nullable=True)
    home: Series[int] = pa.Field(alias="@home", ge=0, le=9)
    line: Series[bool] = pa.Field(alias="line\nbreak's $HOME")
    since: Series[pd.Timestamp] = pa.Field(ge=pd.Timestamp("2020-01-01"), nullable=True)
    colour: Series[str] = pa.Field(isin=['say "red", twice', "l'œil", "NA"])
    remark: Series[str] = pa.Field(metadata={"example": ' He said "no",\r\nthen; left\\ '})
    code: Series[str] = pa.Field(str_matches=r"#\d{7}\Z", nullable=True)


def awkward_rows():
    numbers = np.random.default_rng(0)
    positions = np.arange(N_ROWS)
    return pd.DataFrame(
        {
            "bought": np.where(positions % 2 == 0, "yes", "no"),
            "s 1": numbers.uniform(size=N_ROWS),
            'größe, "cm"': np.where(positions % 7 == 0, np.nan, numbers.normal(size=N_ROWS)),
            "@home": positions % 10,
            "line\nbreak's $HOME": positions % 3 == 0,
            "since": pd.Timestamp("2021-03-04") + pd.to_timedelta(positions, unit="D"),
            "colour": np.take(['say "red", twice', "l'œil", "NA"], positions % 3),
            "remark": np.take(["a", 'b "c"', "d\ne"], positions % 3),
            "code": np.where(positions % 5 == 0, None, "#1234567"),
        }
    )


@pytest.fixture(scope="module", params=["bought", "s 1", "colour"], ids=["binary", "regression", "multiclass"])
def config(request, tmp_path_factory):
    """The config of an exported model that predicts one of the columns from all others."""
    folder = tmp_path_factory.mktemp("awkward")
    rows = awkward_rows()
    rows.to_parquet(folder / "rows.parquet")
    names = [name for name in rows if name not in (request.param, "since")]
    config = Config(
        **MODELLING._asdict(),
        data={"source": str(folder / "rows.parquet"), "target_column": request.param},
        features={"columns": names, "processes": ("month",)},
        splits={"strategy": "random", "n_folds": 2},
        modelling={
            "candidates": ("decision_tree",),
            "n_hyperparameter_optimisation_runs": 1,
            "search_directory": folder,
        },
        evaluation={"directory": folder, "explain": False, "n_bootstrap_samples": 10},
        artifacts={"path": folder / "model.zip"},
        tracking={"enabled": False},
        compute={"n_processes": 1},
        monitoring={"storage": None},
    )
    train(config, Project(schema=read_schema(Awkward), processes=processes(), candidates=STANDARD_CANDIDATES))
    return config


def processes():
    return (DatePart("month", column="since", part="month"),)


def print_in(folder, *words, environment=None):
    """Run the command in a folder that has nothing of a project, and return exit code, output and errors."""
    done = subprocess.run(
        [sys.executable, "-m", "ml_project", "example", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize("form", WRITERS)
def test_example_in_every_form_is_predicted_by_the_service(form, config, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    assert main(["example", "--artifacts.path", str(config.artifacts.path), "--format", form]) == 0
    body = capsysbinary.readouterr().out
    path, media_type = ROUTES[form]
    parts = assemble_service(config, processes(), needs_model=True)
    try:
        given = parts.service.current_model().example
        answer = parts.api.answer(HttpRequest("POST", path, {"content-type": media_type}, body))
        plain = parts.api.answer(
            HttpRequest("POST", "/predict", {"content-type": "application/json"}, json.dumps(given).encode())
        )
    finally:
        parts.close()
    assert answer.status == plain.status == 200, answer.body
    assert numbers_in(json.loads(answer.body)) == numbers_in(json.loads(plain.body))


def numbers_in(answer):
    """Return the values or probabilities of an answer in any form."""
    if "outputs" in answer:
        data = {output["name"]: output["data"] for output in answer["outputs"]}
        return data.get("value") or data["probas"]
    one = answer["predictions"][0] if "predictions" in answer else answer
    return [one["value"]] if "value" in one else list(one["probas"].values())


def test_example_has_the_hard_values_of_the_schema(config, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    assert main(["example", "--artifacts.path", str(config.artifacts.path)]) == 0
    record = json.loads(capsysbinary.readouterr().out)
    assert record["code"] is None
    assert record["remark"] == ' He said "no",\r\nthen; left\\ '
    assert config.data.target_column not in record


def test_example_is_utf_8_whatever_the_terminal_writes(config, tmp_path):
    environment = {"PYTHONIOENCODING": "ascii", "PATH": ""}
    code, output, problems = print_in(
        tmp_path, "--artifacts.path", str(config.artifacts.path), environment=environment
    )
    assert code == 0, problems
    assert 'größe, \\"cm\\"' in output.decode("utf-8")


def test_example_without_an_artifact_returns_1_and_says_so(tmp_path):
    code, output, problems = print_in(tmp_path, "--artifacts.path", "model.zip")
    assert (code, output) == (1, b"")
    assert "There is no artifact at model.zip; train a model first or correct artifacts.path" in problems


def test_example_of_a_damaged_artifact_returns_1_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.zip").write_bytes(b"PK, but no artifact")
    assert main(["example", "--artifacts.path", "model.zip"]) == 1
    assert "model.zip is truncated" in capsys.readouterr().err


def test_example_in_an_unknown_form_returns_2_and_names_the_known(config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["example", "--artifacts.path", str(config.artifacts.path), "--format", "xml"]) == 2
    assert "serving.example_format = 'xml': allowed: json | csv | mlflow | v2" in capsys.readouterr().err


def test_form_of_the_example_is_no_short_option_of_other_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "--format", "csv"]) == 2
    assert "format: is not a field" in capsys.readouterr().err
