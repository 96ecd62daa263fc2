"""Heroku: the files of the Python buildpack at the root, the artifact beside them, deployed by ``git push``."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deployment.deployer.imports import check_imports
from deployment.deployer.provider import SERVED_MODULES, STORING_MODULES, Context, Options, Plan, PlannedFile, Tool
from ml_project.errors import Problem

NATIVE_FILES = ("Procfile", ".python-version", ".slugignore")
ARTIFACT = "model.zip"
BRANCH = "deploy-heroku"
STORAGE_CHOICES = ("no", "yes")
MEGABYTE = 1_000_000
MOST_ARTIFACT_BYTES = 400 * MEGABYTE
"""What Heroku's limit of 500 MB leaves beside the packages."""
MOST_NAMES = 3
_SERVE = "exec python -m ml_project serve"
_WITH_DATABASE = f'ML_PROJECT_MONITORING__STORAGE__URL="$DATABASE_URL" {_SERVE}'


class Heroku:
    """Writes what the slug is made of; git and Heroku take it from there."""

    name = "heroku"
    summary = "Heroku: one web dyno or more, deployed by git push"
    extra_options: Mapping[str, str] = {
        "storage": "yes: predictions are stored in the database that Heroku's DATABASE_URL names (default: no)"
    }

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return what the next commands need; the files need nothing."""
        return (
            Tool("git", "pushing to Heroku", "install it: https://git-scm.com/downloads", required=False),
            Tool(
                "heroku",
                "creating the app",
                "install the Heroku CLI: https://devcenter.heroku.com/articles/heroku-cli",
                required=False,
            ),
        )

    def check(self, context: Context) -> Sequence[Problem]:
        """Return wrong choices and a model that is too large, or else the modules that the dyno would miss."""
        problems = []
        choice = context.options.extra.get("storage", STORAGE_CHOICES[0])
        if choice not in STORAGE_CHOICES:
            problems.append(Problem(f"must be {' or '.join(STORAGE_CHOICES)}", "--storage", value=choice))
        n_bytes = context.options.artifact.stat().st_size
        if n_bytes > MOST_ARTIFACT_BYTES:
            problem = (
                f"has {n_bytes / MEGABYTE:.1f} MB, and Heroku takes 500 MB with all packages; export a smaller model "
                "(fewer or shallower trees), or deploy an image: docker"
            )
            problems.append(Problem(problem, str(context.options.artifact)))
        modules = (*SERVED_MODULES[context.options.framework], *(STORING_MODULES if _stores(context.options) else ()))
        return problems or check_imports(context.options.artifact, _requirements(context), context.root, modules)

    def plan(self, context: Context) -> Plan:
        """Return the native files, the requirements and the artifact."""
        files = {name: context.provider_file(name) for name in NATIVE_FILES}
        files["Procfile"] = _procfile(files["Procfile"].decode(), context.options).encode()
        files["requirements.txt"] = _requirements(context).encode()
        files[ARTIFACT] = context.artifact_bytes()
        planned = tuple(PlannedFile(path, content) for path, content in files.items())
        return Plan(planned, next_commands=_next_commands(list(files), context))


def _stores(options: Options) -> bool:
    return options.extra.get("storage") == "yes"


def _requirements(context: Context) -> str:
    return context.requirements(context.options.framework, storage=_stores(context.options))


def _procfile(template: str, options: Options) -> str:
    text = template.replace("--framework fastapi", f"--framework {options.framework}")
    return text.replace(_SERVE, _WITH_DATABASE) if _stores(options) else text


def _next_commands(paths: Sequence[str], context: Context) -> tuple[str, ...]:
    manifest, listed = context.manifest, " ".join(paths)
    database = ("heroku addons:create heroku-postgresql:essential-0",) if _stores(context.options) else ()
    changed = _changed_sources(context.root)
    warning = (f"# Heroku gets the last commit, without your changes in {', '.join(changed)}.",) if changed else ()
    return (
        "# Once: sign in and create the app, which adds the git remote heroku.",
        "heroku login",
        "heroku create YOUR_APP",
        *database,
        *warning,
        "# Commit the files on a branch of their own, push it, and go back to where you were.",
        f"git switch -C {BRANCH}",
        f"git add --force -- {listed}",
        f'git commit -m "Deploy {manifest.name} {manifest.version}" -- {listed}',
        f"git push --force heroku {BRANCH}:main",
        "git switch -",
        "# Ask it.",
        'curl "$(heroku apps:info --json | sed -n \'s/.*"web_url": *"\\([^"]*\\)".*/\\1/p\')version"',
        "# All about it, from costs to removal: documentation/deployment_heroku.md",
    )


def _changed_sources(root: Path) -> list[str]:
    """Return the sources that differ from the last commit, the first few; none where git cannot tell."""
    command = ("git", "diff", "--name-only", "HEAD", "--", "ml_project")
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603  as it stands
    except FileNotFoundError:
        return []
    names = done.stdout.splitlines()
    return [*names[:MOST_NAMES], *(["others"] if len(names) > MOST_NAMES else [])]


PROVIDER = Heroku()
