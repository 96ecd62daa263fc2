#!/usr/bin/env bash
# Install, check and test everything: bash cicd_pipeline.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly BIN=.venv/bin
export PATH="$PATH:$HOME/.local/bin" # where setup.sh puts pipenv when it finds no better place

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

step "wheel: built, installed apart, and predicting from another folder"
rm -rf output/dist output/wheel
"$BIN/python" -m build --wheel --no-isolation --outdir output/dist . >/dev/null
"$BIN/python" -m pip install --quiet --no-deps --target output/wheel output/dist/*.whl
(
    cd output
    export PYTHONPATH=wheel
    "../$BIN/python" -c 'import ml_project; assert "wheel" in ml_project.__file__, ml_project.__file__'
    "../$BIN/python" -m ml_project predict --config evaluation/training/config.yaml --run_mode prediction \
        --data.source ../data/data/titanic.parquet --artifacts.path ../data/serialised_models/titanic.zip \
        --prediction.output wheel_predictions.csv
)

step "pytest"
"$BIN/python" -m pytest --numprocesses 2 --cov --cov-report=term --cov-report=xml:output/coverage.xml

step "done"
