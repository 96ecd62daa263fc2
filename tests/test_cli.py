"""The command line: exit codes, help, unknown words, and how it ends when it is interrupted."""

import os
import re
import signal
import subprocess
import sys

import pytest

from ml_project import cli
from ml_project.config_fields import config_fields
from ml_project.errors import DataSourceError
from tests.workspace import workspace

COMMANDS = ("train", "evaluate", "predict", "serve", "generate", "example")


@pytest.fixture(autouse=True)
def in_workspace(monkeypatch):
    monkeypatch.chdir(workspace())


def run_with(action, arguments=()):
    action.__doc__ = "Do something."
    return cli.run(action, None, program="program", arguments=[*MINIMAL, *arguments])


MINIMAL = ("--data.source", "people.csv", "--data.target_column", "income", "--features.columns", "age")


def test_main_without_words_tells_the_usage_and_returns_2(capsys):
    assert cli.main([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert all(command in output.err for command in COMMANDS)


def test_main_help_lists_the_commands_and_returns_0(capsys):
    assert cli.main(["--help"]) == 0
    usage = capsys.readouterr().out
    assert all(command in usage for command in COMMANDS)


def test_main_unknown_command_returns_2_and_names_the_known(capsys):
    assert cli.main(["trian"]) == 2
    assert f"no command 'trian'; commands are {', '.join(COMMANDS)}" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_every_field_with_description_and_default(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")  # argparse breaks narrow lines at hyphens
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    words = " ".join(capsys.readouterr().out.split())
    for field in config_fields().values():
        assert field.description in words, field.name
        if field.is_section:
            continue
        option = rf"--{re.escape(field.name)}(?: , --\w+)?"
        (described,) = re.findall(rf"{option} +{re.escape(field.description)} \[(.*?)\](?: |$)", words)
        assert "default: " in described or "must be set" in described, field.name


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--splits.nfolds", "3"], "splits.nfolds: is not a field; did you mean 'splits.n_folds'?"),
        (["--splits.n_folds", "many"], "splits.n_folds = 'many': allowed: whole number >= 2"),
        (["word"], "command line = 'word': is no option"),
        (["--config", "missing.yaml"], "missing.yaml: there is no such file"),
    ],
)
def test_main_wrong_usage_returns_2_and_says_why(arguments, told, capsys):
    assert cli.main(["train", *arguments]) == 2
    output = capsys.readouterr().err
    assert told in output
    assert "Traceback" not in output


def test_main_misspelt_environment_variable_returns_2_and_names_the_field(monkeypatch, capsys):
    monkeypatch.setenv("ML_PROJECT_SPLITS__NFOLDS", "3")
    assert cli.main(["train"]) == 2
    told = capsys.readouterr().err
    assert "splits.nfolds: is not a field; did you mean 'splits.n_folds'? (from the environment)" in told


def test_main_all_problems_are_told_at_once(capsys):
    assert cli.main(["train", "--splits.n_folds", "1", "--compute.seed", "-1", "--modeling.metric", "f1"]) == 2
    assert capsys.readouterr().err.count("\n  - ") == 3


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DataSourceError("the file is gone"), 1, "program: the file is gone\n"),
        (KeyboardInterrupt(), 130, "program: interrupted\n"),
        (OSError(28, "No space left on device", "/full/disk"), 1, "No space left on device: '/full/disk'"),
        (ZeroDivisionError("division by zero"), 1, "unexpected ZeroDivisionError: division by zero\nThis is a defect"),
    ],
)
def test_run_error_of_the_action_becomes_code_and_readable_lines(error, code, told, capsys):
    def fail(config):
        raise error

    assert run_with(fail) == code
    output = capsys.readouterr().err
    assert told in output
    assert "Traceback" not in output


def test_run_with_debug_shows_the_traceback(capsys):
    def fail(config):
        raise DataSourceError("the file is gone")

    assert run_with(fail, ["--debug"]) == 1
    output = capsys.readouterr().err
    assert "Traceback" in output
    assert output.endswith("program: the file is gone\n")


def test_run_sigterm_ends_the_action_with_143_and_restores_the_handler(capsys):
    def ask_to_end(config):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

    before = signal.getsignal(signal.SIGTERM)
    assert run_with(ask_to_end) == 143
    assert capsys.readouterr().err == "program: ended by SIGTERM\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_run_success_returns_0_and_gives_the_config():
    seen = []

    def keep(config):
        seen.append(config.data.source)

    assert run_with(keep) == 0
    assert seen == ["people.csv"]


def test_module_unknown_command_ends_the_process_with_2():
    words = [sys.executable, "-m", "ml_project", "nonsense"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
