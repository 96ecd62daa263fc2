"""What the deployer says to wrong words, artifacts and machines, before anything is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployment.tests.deployer_project import MEMORY_FILE, DeployerProject, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, artifact: Path) -> DeployerProject:
    """A project that no test of this module changes."""
    return make_project(tmp_path_factory.mktemp("project"), artifact)


@pytest.fixture(autouse=True)
def _unchanged(project: DeployerProject):
    before = project.files()
    yield
    assert project.files() == before
    assert not (project.root / MEMORY_FILE).exists()


@pytest.mark.parametrize(
    ("name", "closest_first"),
    [("toyz", "toy, toys, other"), ("othr", "other, toy, toys"), ("TOY", "toy, toys, other")],
)
def test_unknown_provider_names_the_closest_first(project, name, closest_first):
    done = project.set_up(name)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"There is no provider {name!r}; there are {closest_first}\n"


def test_unknown_provider_in_the_variable_and_for_clean_up(project):
    assert project.set_up(cloud_provider="tois").err == "There is no provider 'tois'; there are toys, toy, other\n"
    done = project.clean_up("tois")
    assert (done.code, done.err) == (2, "There is no provider 'tois'; there are toys, toy, other\n")


def test_without_words_the_providers_are_listed(project):
    overview = (
        "usage: bash executables/cloud_setup.sh NAME [ARTIFACT] [--dry-run] [--force] [options of NAME]\n\n"
        "  other                  the place other\n"
        "  toy                    the place toy\n"
        "  toys                   the place toys\n"
    )
    done = project.set_up()
    assert (done.code, done.out, done.err) == (2, "", f"Name a provider.\n{overview}")
    done = project.set_up("--help")
    assert (done.code, done.out, done.err) == (0, overview, "")


def test_help_of_a_provider_shows_its_own_options(project):
    done = project.set_up("toy", "--help")
    assert (done.code, done.err) == (0, "")
    for text in ("usage: bash executables/cloud_setup.sh toy", "--color VALUE", "what is in its files", "--dry-run"):
        assert text in done.out


def test_provider_can_stand_in_the_variable_or_after_options(project):
    for words, variables in (((), {"cloud_provider": "toy"}), (("--force", "toy"), {})):
        done = project.set_up(*words, "--dry-run", "--artifact", project.artifact, **variables)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("toy: random_forest ")


def test_two_providers_are_refused(project):
    done = project.set_up("toy", cloud_provider="other")
    assert (done.code, done.err) == (
        2,
        "cloud_provider says 'other' and the command line 'toy'; leave one of them out\n",
    )


def test_all_wrong_words_are_told_together(project):
    words = ("model.zip", "again.zip", "--framework", "django", "--colour", "blue", "--artifact", "b.zip", "--zzz=1")
    done = project.set_up("toy", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "The command line is not usable; nothing was changed.\n"
        "  - again.zip: is a word too many\n"
        "  - --colour: is no option; did you mean --color?\n"
        "  - blue: is a word too many\n"
        "  - --zzz: is no option; known: artifact, color, dry-run, force, framework, step, tool\n"
        "  - --framework = 'django': must be one of fastapi, flask\n"
        "  - artifact = 'model.zip b.zip': is given twice\n"
    )


def test_option_without_its_value(project):
    done = project.set_up("toy", "--color")
    assert done.code == 2
    assert done.err == "bash executables/cloud_setup.sh toy: argument --color: expected one argument\n"


def test_unknown_option_of_clean_up(project):
    done = project.clean_up("--dryrun")
    assert done.code == 2
    assert done.err.endswith("  - --dryrun: is no option; did you mean --dry-run?\n")


def test_missing_artifact_tool_and_wrong_option_are_told_together(project):
    done = project.set_up("toy", "nothing.zip", "--tool", "no-such-program")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "toy cannot be set up; nothing was changed.\n"
        f"  - There is no artifact at {project.root}/nothing.zip; train a model first or correct artifacts.path; files "
        f"in {project.root}: model.of.tests.zip\n"
        "  - no-such-program: needed for building: not found on PATH; install it from example.com\n"
    )


def test_problem_found_by_the_provider_is_told(project):
    done = project.set_up("toy", project.artifact, "--color", "beige")
    assert done.code == 1
    assert done.err == (
        "toy cannot be set up; nothing was changed.\n  - --color = 'beige': is ugly; choose another color\n"
    )


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damaged, "is damaged: its content has sha256 "),
        (lambda content: content[:-100], "is truncated, or a zip file that is no artifact"),
        (lambda _: b"", "is no zip file (0 bytes), so no artifact; export the model again"),
        (lambda _: b"PK\x05\x06" + bytes(18), "lacks its closing hash; copy it again or export the model again"),
    ],
)
def test_damaged_artifact_is_refused(project, tmp_path, spoil, reason):
    spoiled = tmp_path / "spoiled.zip"
    spoiled.write_bytes(spoil(project.artifact.read_bytes()))
    done = project.set_up("toy", spoiled)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"toy cannot be set up; nothing was changed.\n  - {spoiled} ")
    assert reason in done.err


def test_folder_as_artifact_is_refused(project, tmp_path):
    done = project.set_up("toy", tmp_path)
    assert done.code == 1
    assert f"{tmp_path} is a folder; name the artifact file in it" in done.err


def test_configured_artifact_is_taken_where_none_is_named(project):
    done = project.set_up("toy", ML_PROJECT_ARTIFACTS__PATH="nothing.zip", folder=Path("/"))
    assert done.code == 1
    assert f"There is no artifact at {project.root}/nothing.zip; " in done.err


def test_without_the_environment_the_scripts_say_how_to_install_it(tmp_path, artifact):
    bare = make_project(tmp_path, artifact)
    (bare.root / ".venv/bin/python").unlink()
    how = f"install it first: bash {bare.root}/executables/setup.sh"
    expected = f"The deployer needs the project's environment; {how}\n"
    for done in (bare.set_up("toy"), bare.clean_up()):
        assert (done.code, done.out, done.err) == (1, "", expected)


def test_provider_that_cannot_be_imported_is_named(tmp_path, artifact):
    broken = make_project(tmp_path, artifact)
    broken.write("deployment/toys/provider.py", "import no_such_package\n")
    done = broken.set_up("toys")
    assert (done.code, done.out) == (1, "")
    assert done.err == "deployment/toys/provider.py cannot be used: No module named 'no_such_package'\n"
