#!/usr/bin/env bash
# Install, check and test everything: bash cicd_pipeline.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly BIN=.venv/bin

step() { printf '\n=== %s (after %s s)\n' "$*" "$SECONDS"; }

step "install from the lock"
bash executables/setup.sh
bash executables/install_test_servers.sh

step "isort, ruff"
"$BIN/isort" --check-only --quiet .
"$BIN/ruff" check .

step "mypy"
"$BIN/mypy"

step "import-linter"
"$BIN/lint-imports"

step "shellcheck"
git ls-files -z '*.sh' .ci/run | xargs -0 "$BIN/shellcheck"

step "documented commands and use cases"
"$BIN/python" executables/run_documented_commands.py README.md documentation/*.md

step "wheel"
"$BIN/python" -m build --wheel --outdir output/dist . >/dev/null
ls output/dist

step "pytest"
"$BIN/python" -m pytest --numprocesses 2 --cov --cov-report=term --cov-report=xml:output/coverage.xml

step "done"
