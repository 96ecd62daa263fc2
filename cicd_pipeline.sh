#!/usr/bin/env bash
# Install, check and test everything: bash cicd_pipeline.sh
# What this machine lacks the tools for (docker, terraform, .runtimes) is left out and named at the end. With
# REQUIRE_ALL_TARGETS=1, as the continuous integration sets it, that is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly BIN=.venv/bin REQUIRE_ALL_TARGETS=${REQUIRE_ALL_TARGETS:-0}
# Behind what there is: where setup.sh puts pipenv when it finds no better place, and install_provider_runtimes.sh tools.
export PATH="$PATH:$HOME/.local/bin:$PWD/.runtimes/bin"
left_out=()

step() { printf '\n=== %s (after %s s)\n' "$*" "$SECONDS"; }

# Return whether a program is there; if not, remember what is left out without it.
can_run() {
    local program=$1 how_to_get=$2
    if command -v "$program" >/dev/null; then return; fi
    if [[ $REQUIRE_ALL_TARGETS == 1 ]]; then
        printf '%s is missing: %s\n' "$program" "$how_to_get" >&2
        exit 1
    fi
    left_out+=("$program: $how_to_get")
    return 1
}

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

step "hadolint, checkov, terraform fmt"
if can_run hadolint "bash executables/install_provider_runtimes.sh hadolint"; then
    git ls-files -z '*Dockerfile' | xargs -0 hadolint
fi
if can_run checkov "bash executables/install_provider_runtimes.sh checkov"; then
    checkov
fi
if can_run terraform "https://developer.hashicorp.com/terraform/install"; then
    terraform fmt -check -diff -recursive deployment
fi

# The committed data, whatever the use case reads.
export ML_PROJECT_DATA__SOURCE=data/data/titanic.parquet

step "documented commands and use cases"
options=()
if [[ $REQUIRE_ALL_TARGETS == 1 ]]; then options+=(--require-tools); fi
"$BIN/python" executables/run_documented_commands.py ${options[@]+"${options[@]}"} README.md documentation/*.md

step "wheel: built, installed apart, and predicting from another folder"
rm -rf output/dist output/wheel
"$BIN/python" -m build --wheel --no-isolation --outdir output/dist . >/dev/null
"$BIN/python" -m pip install --quiet --no-deps --target output/wheel output/dist/*.whl
(
    cd output
    export PYTHONPATH=wheel
    "../$BIN/python" -c 'import ml_project; assert "wheel" in ml_project.__file__, ml_project.__file__'
    "../$BIN/python" -m ml_project example --artifacts.path ../data/serialised_models/titanic.zip
    settings=(--config evaluation/training/config.yaml --run_mode prediction
        --artifacts.path ../data/serialised_models/titanic.zip)
    "../$BIN/python" -m ml_project generate "${settings[@]}" --synthetic.n_rows 1000 --synthetic.output wheel_rows.parquet
    "../$BIN/python" -m ml_project predict "${settings[@]}" --data.source wheel_rows.parquet --data.format parquet \
        --data.table null --data.query null --prediction.output wheel_predictions.csv
)

unset ML_PROJECT_DATA__SOURCE # tests name their data themselves

step "pytest, with every deployment on its own runtime"
options=(--numprocesses 2 --durations 20)
if [[ $REQUIRE_ALL_TARGETS == 1 ]]; then options+=(--require-all-targets); fi
"$BIN/python" -m pytest "${options[@]}" --cov --cov-report=term --cov-report=xml:output/coverage.xml

step "done"
if ((${#left_out[@]})); then printf 'not run: %s\n' "${left_out[@]}"; fi
