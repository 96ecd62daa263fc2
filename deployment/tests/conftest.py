"""Which targets the suite asks, and the artifact that they deploy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from deployment.deployer.words import configured_artifact
from deployment.tests.aws_stand_in import CREDENTIALS, ControlPlanes, control_planes
from deployment.tests.environments import locked
from deployment.tests.golden import GOLDEN
from deployment.tests.golden_request import Golden
from deployment.tests.judge import Judge
from deployment.tests.targets import Ask, Target, find_targets
from ml_project.artifacts.loading import LoadedArtifact, load_artifact
from ml_project.project_package import load_feature_processes
from ml_project.suggestions import suggest
from tests.workspace import choose_example

# Programs for an environment of their own, which looking for doctests would import.
collect_ignore = ["terraform_stand_in"]
SUITE = "test_conformance.py"
ARTIFACT_VARIABLE = "ML_PROJECT_DEPLOYMENT_ARTIFACT"
"""Environment variable with the path of the artifact to deploy, or of the one that a live deployment has."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deployments")
    group.addoption("--target", action="append", metavar="NAME", help="ask this target only; may be repeated")
    group.addoption("--endpoint", metavar="URL_OR_NAME", help="ask this live deployment of the target")
    group.addoption("--require-all-targets", action="store_true", help="fail where a target cannot run on this machine")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("endpoint"):
        choose_example()
    chosen = config.getoption("target") or []
    known = [target.name for target in find_targets()]
    for name in chosen:
        if name not in known:
            raise pytest.UsageError(f"There is no target {name!r}{suggest(name, known)}")
    if config.getoption("endpoint") and len(chosen) != 1:
        raise pytest.UsageError("--endpoint asks one deployment; say which kind with one --target")


def chosen_targets(config: pytest.Config) -> list[Target]:
    """Return the targets that the suite asks."""
    chosen = config.getoption("target")
    return [target for target in find_targets() if not chosen or target.name in chosen]


@cache
def missing_for(name: str) -> str | None:
    """Return what this machine lacks to run a target."""
    return next(target for target in find_targets() if target.name == name).missing()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask every target."""
    if "target" in metafunc.fixturenames:
        targets = chosen_targets(metafunc.config)
        names = [target.name for target in targets]
        metafunc.parametrize("target", targets, ids=names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--target``, leave out what asks no target."""
    if not config.getoption("target"):
        return
    kept = [item for item in items if "target" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the targets that could not run, where the suite did."""
    reports = chain.from_iterable(terminalreporter.stats.values())
    was_run = any(SUITE in getattr(report, "nodeid", "") for report in reports)
    if config.getoption("endpoint") or not was_run:
        return
    missing = {target.name: missing_for(target.name) for target in chosen_targets(config)}
    for name, reason in missing.items():
        if reason is not None:
            terminalreporter.write_line(f"not run: {name}: {reason}", yellow=True)


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The artifact that is deployed: a small random forest on the example's data, which ONNX Runtime predicts with."""
    given = os.environ.get(ARTIFACT_VARIABLE)
    if given:
        return Path(given).resolve()
    if pytestconfig.getoption("endpoint"):
        return configured_artifact(os.environ)
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which all workers share
    file = folder / "deployed.zip"
    with locked(folder / "deployed.lock"):
        if not file.exists():
            train(file)
    return file


def train(file: Path) -> None:
    """Write the artifact."""
    from tests.artifacts.fitted import fit

    forest = fit("random_forest", settings={"n_estimators": 37, "max_depth": 6})
    forest.export(file, config=forest.with_engine("onnx"))


@pytest.fixture(scope="session")
def loaded(artifact: Path) -> LoadedArtifact:
    """The artifact in this process."""
    return load_artifact(artifact, load_feature_processes())


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Target:
    """A target that can run here."""
    chosen: Target = request.param
    reason = None if pytestconfig.getoption("endpoint") else missing_for(chosen.name)
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(f"{chosen.name} cannot run here: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"{chosen.name}: {reason}")
    return chosen


@pytest.fixture(scope="session")
def ask(
    target: Target, artifact: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Ask]:
    """Ask the target, which runs until its last test; or the live deployment."""
    endpoint = pytestconfig.getoption("endpoint")
    if endpoint:
        live = target.live(endpoint)
        yield live
        close: Callable[[], None] = getattr(live, "close", lambda: None)
        close()
        return
    with target.running(artifact, tmp_path_factory.mktemp(target.name)) as started:
        yield started


@pytest.fixture(scope="session")
def golden(target: Target, pytestconfig: pytest.Config) -> list[Golden]:
    """The golden requests that make sense for the target."""
    live = bool(pytestconfig.getoption("endpoint"))
    return [golden for golden in GOLDEN if target.takes(golden) and not (live and golden.needs_settings)]


@pytest.fixture(scope="session")
def judge(target: Target, loaded: LoadedArtifact) -> Judge:
    """Judge of the target's answers."""
    return Judge(loaded)


@pytest.fixture(scope="module")
def planes() -> Iterator[ControlPlanes]:
    """AWS' control planes, as moto has them."""
    with control_planes() as served:
        yield served


@pytest.fixture
def aws(planes: ControlPlanes, monkeypatch: pytest.MonkeyPatch) -> ControlPlanes:
    """The control planes, empty, and this process as one that talks to them."""
    planes.forget()
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": planes.url}.items():
        monkeypatch.setenv(name, value)
    return planes
