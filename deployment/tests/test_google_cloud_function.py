"""The Cloud Function's zip file, and the function itself where the suite's golden requests do not reach."""

import io
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import check_tools, make_plan
from deployment.deployer.provider import Context, Options
from deployment.google_cloud_function import provider
from deployment.tests.asking import HttpAsk
from deployment.tests.environments import REPOSITORY
from deployment.tests.golden import RECORD
from deployment.tests.processes import clean_environment
from deployment.tests.project_copies import example_project
from deployment.tests.target_google_cloud_function import NAME, TOKEN_VARIABLE, CloudFunction, make_zip, serving, unpack
from ml_project.artifacts.export import store_metrics
from ml_project.artifacts.manifest import read_manifest
from ml_project.serving.messages import HttpRequest

JSON_TYPE = {"content-type": "application/json"}
PAGE = "https://app.example.com"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NOT_FOR_SERVING = {"mlflow", "optuna", "pandas", "pyarrow", "scikit-learn", "sqlalchemy", "fastapi", "shap", "catboost"}
HASH_OF_THE_ZIP = """
import sys
from pathlib import Path
from deployment.google_cloud_function.provider import sha256
from deployment.tests.test_google_cloud_function import plan_of
print(sha256(plan_of(Path(sys.argv[1])).files[0].content))
"""


@pytest.fixture(scope="module")
def packed(artifact):
    return make_zip(artifact)


@pytest.fixture(scope="module")
def archive(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        yield opened


@pytest.fixture(scope="module")
def function(packed, tmp_path_factory):
    """The function, called by one page, in a project of Google's."""
    folder = tmp_path_factory.mktemp("function")
    settings = {"CORS_ALLOWED_ORIGINS": PAGE, "GOOGLE_CLOUD_PROJECT": "my-project-1", "THREADS": "4"}
    with serving(unpack(packed, folder), folder / "function.log", settings) as running:
        yield running


@pytest.fixture
def ask(function):
    asking = HttpAsk(function.url)
    yield asking
    asking.close()


def context_of(artifact, **options):
    extra = {name.replace("_", "-"): value for name, value in options.items()}
    return Context(example_project(), Options(NAME, artifact, extra=extra), read_manifest(artifact))


def plan_of(artifact, **options):
    """Return the plan without trying first what the function would import, which takes seconds."""
    return provider.PROVIDER.plan(context_of(artifact, **options))


def lines_of(function):
    return [json.loads(line) for line in function.log.read_text().splitlines()]


def test_zip_has_entry_point_requirements_model_and_package(archive, artifact):
    names = archive.namelist()
    assert {"main.py", "requirements.txt", "model.zip", "ml_project/serving/deployed.py"} <= set(names)
    assert archive.read("model.zip") == artifact.read_bytes()
    assert {name.split("/")[0] for name in names} == {
        "main.py",
        "requirements.txt",
        "model.zip",
        "ml_project",
        "__pycache__",
    }


@pytest.mark.parametrize("folder", ["modelling", "tracking", "evaluation"])
def test_zip_has_no_sources_of_training(archive, folder):
    assert not [name for name in archive.namelist() if name.startswith(f"ml_project/{folder}/")]


def test_requirements_have_hashes_and_nothing_of_training(archive):
    lines = archive.read("requirements.txt").decode().splitlines()
    named = [line for line in lines if "==" in line]
    assert {line.split("==")[0].split("[")[0] for line in named} & NOT_FOR_SERVING == set()
    assert named
    assert all(line.endswith("\\") for line in named)


def test_each_source_lies_beside_its_compiled_form(archive):
    names = set(archive.namelist())
    sources = [name for name in names if name.endswith(".py")]
    assert len(sources) == len([name for name in names if name.endswith(".cpython-312.pyc")])


@pytest.mark.parametrize("seed", ["1", "2"])
def test_zip_is_the_same_in_every_process(packed, artifact, seed):
    environment = clean_environment() | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", HASH_OF_THE_ZIP, str(artifact)],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == provider.sha256(packed)


def test_another_artifact_makes_another_zip(packed, artifact, tmp_path):
    other = tmp_path / "other.zip"
    other.write_bytes(artifact.read_bytes())
    store_metrics(other, {"accuracy": 0.5})
    assert plan_of(other).files[0].content != packed


def unzip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_plan_says_sizes_and_hash(artifact, packed):
    said = "\n".join(plan_of(artifact).next_commands)
    unpacked = sum(len(content) for content in unzip(packed).values())
    assert f"{len(packed) / 1e6:.2f} MB, unpacked {unpacked / 1e6:.2f} MB" in said
    assert provider.sha256(packed) in said


def test_zip_over_both_limits_is_refused_with_its_largest_files(artifact, monkeypatch):
    monkeypatch.setattr(provider, "MOST_PACKED", 10_000)
    monkeypatch.setattr(provider, "MOST_UNPACKED", 20_000)
    with pytest.raises(DeploymentError, match=r"too large; nothing was written.*model\.zip \(") as caught:
        plan_of(artifact)
    assert [problem.problem.split(" has ")[0] for problem in caught.value.problems] == [
        "The zip file",
        "What is in the zip file",
    ]
    assert "at most 0.01 MB" in str(caught.value)


def test_options_become_variables_of_terraform(artifact):
    plan = plan_of(artifact, project_id="my-project-1", region="us-central1")
    [_, variables] = plan.files
    assert variables.path == f"deployment/{NAME}/setup.auto.tfvars.json"
    assert json.loads(variables.content) == {"project_id": "my-project-1", "region": "us-central1"}
    assert f"terraform -chdir=deployment/{NAME} apply" in plan.next_commands


def test_without_options_terraform_is_told_the_project_in_the_next_command(artifact):
    plan = plan_of(artifact)
    assert [file.path for file in plan.files] == [provider.ZIP]
    assert f"terraform -chdir=deployment/{NAME} apply -var project_id=YOUR_PROJECT" in plan.next_commands


def test_impossible_options_are_refused_together(artifact):
    problems = provider.PROVIDER.check(context_of(artifact, project_id="123456789012", region="Europe"))
    assert [(problem.field, problem.value) for problem in problems] == [
        ("--project-id", "123456789012"),
        ("--region", "Europe"),
    ]


def test_without_terraform_the_zip_is_made_and_the_tool_named(artifact, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    problems, notes = check_tools(provider.PROVIDER.tools(Options(NAME, artifact)))
    assert problems == []
    assert any(note.startswith("terraform, needed for deploying the zip file: not found on PATH") for note in notes)


def test_damaged_artifact_is_refused(artifact, tmp_path):
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(artifact.read_bytes()[:-100])
    with pytest.raises(DeploymentError, match=r"cannot be set up; nothing was changed") as caught:
        make_plan(Options(NAME, damaged), example_project())
    assert str(damaged) in str(caught.value)


def test_address_itself_predicts(ask, loaded):
    answer = ask(HttpRequest("POST", "/", JSON_TYPE, json.dumps(RECORD).encode()))
    found = json.loads(answer.body)
    assert answer.status == 200
    assert loaded.pipeline.predict_records([RECORD])[0].items() <= found.items()


def test_address_itself_says_what_there_is(ask):
    answer = ask(HttpRequest("GET", "/", {}))
    assert answer.status == 200
    assert {"method": "POST", "path": "/predict"} in json.loads(answer.body)["routes"]


def test_only_the_allowed_page_may_call(ask):
    def preflight(page):
        headers = {"origin": page, "access-control-request-method": "POST"}
        return ask(HttpRequest("OPTIONS", "/predict", headers))

    allowed, refused = preflight(PAGE), preflight("https://elsewhere.example.com")
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (204, PAGE)
    assert refused.status == 405
    assert "access-control-allow-origin" not in refused.headers
    assert allowed.headers["vary"] == refused.headers["vary"] == "Origin"


def test_lines_of_the_log_carry_severity_request_and_trace(function, ask):
    headers = {**JSON_TYPE, "traceparent": f"00-{TRACE}-{SPAN}-01", "x-request-id": "traced"}
    assert ask(HttpRequest("POST", "/predict", headers, b"{")).status == 400
    lines = lines_of(function)
    assert all(line["severity"] in {"INFO", "WARNING", "ERROR"} and line["message"] for line in lines)
    [line] = [line for line in lines if line.get("request_id") == "traced"]
    assert line["logging.googleapis.com/trace"] == f"projects/my-project-1/traces/{TRACE}"
    assert line["logging.googleapis.com/labels"]["execution_id"]
    assert line["httpRequest"]["status"] == 400


def test_model_is_loaded_once_for_all_requests(function, ask):
    for _ in range(20):
        assert ask(HttpRequest("GET", "/ready", {})).status == 200
    assert len([line for line in lines_of(function) if line.get("model_event") == "loaded"]) == 1


def test_live_function_is_asked_with_googles_token(packed, tmp_path, monkeypatch):
    # The service takes a token for its key where no other is given, which shows that it was sent.
    key = "a key of enough letters"
    with serving(unpack(packed, tmp_path), tmp_path / "log", {"ML_PROJECT_SERVING__API_KEY": key}) as running:
        for token, status in ((key, 200), ("another key, as long", 401)):
            monkeypatch.setenv(TOKEN_VARIABLE, token)
            ask = CloudFunction().live(running.url)
            assert ask(HttpRequest("GET", "/version", {})).status == status
            ask.close()


def test_requests_at_the_same_time_are_all_answered_alike(function, loaded):
    wanted = loaded.pipeline.predict_records([RECORD])[0]

    def ask_some(_):
        with closing(HttpAsk(function.url)) as asking:
            return [asking(HttpRequest("POST", "/", JSON_TYPE, json.dumps(RECORD).encode())) for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for some in pool.map(ask_some, range(8)) for answer in some]
    assert {answer.status for answer in answers} == {200}
    found = [json.loads(answer.body) for answer in answers]
    assert len({prediction["prediction_id"] for prediction in found}) == len(answers) == 200
    assert all(wanted.items() <= prediction.items() for prediction in found)


def test_function_ends_without_a_word(packed, tmp_path):
    log = tmp_path / "log"
    with serving(unpack(packed, tmp_path), log, {}) as running, closing(HttpAsk(running.url)) as ask:
        assert ask(HttpRequest("POST", "/", JSON_TYPE, json.dumps(RECORD).encode())).status == 200
        answered = log.read_text()
    assert log.read_text() == answered


def test_missing_model_keeps_the_function_from_starting(packed, tmp_path):
    source = unpack(packed, tmp_path)
    (source / "model.zip").unlink()
    with (
        pytest.raises(RuntimeError, match=r"The function cannot start: .*model\.zip"),
        serving(source, tmp_path / "log", {}),
    ):
        pass


def test_wrong_origin_keeps_the_function_from_starting(packed, tmp_path):
    with (
        pytest.raises(RuntimeError, match=r"CORS_ALLOWED_ORIGINS has what is no origin: 'app\.example\.com'"),
        serving(unpack(packed, tmp_path), tmp_path / "log", {"CORS_ALLOWED_ORIGINS": "app.example.com"}),
    ):
        pass


def test_entry_point_is_short():
    source = (REPOSITORY / "deployment" / NAME / "main.py").read_text()
    assert len([line for line in source.splitlines() if line.strip()]) < 40


def test_compiled_sources_are_used(packed, tmp_path):
    source = unpack(packed, tmp_path)
    script = "import ml_project.errors as e, sys; print(e.__cached__, sys.flags.dont_write_bytecode)"
    (source / "ml_project" / "errors.py").write_text("raise SystemExit('compiled again')")
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-c", script],
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(source / "ml_project" / "__pycache__") in done.stdout
