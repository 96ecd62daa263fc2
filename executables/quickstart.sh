#!/usr/bin/env bash
# Install, train on the project's data, and show the results: bash executables/quickstart.sh [options of the training]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash executables/setup.sh
.venv/bin/python use_cases/modelling_historic_data_local.py "$@"

cat <<'TEXT'

What to type next:
  pipenv run python use_cases/predicting_historic_data_local.py          score a table with the exported model
  pipenv run python use_cases/modelling_historic_data_local.py --help    see what can be configured
  pipenv run mlflow ui --backend-store-uri sqlite:///mlflow.db           browse runs on http://127.0.0.1:5000
  bash cicd_pipeline.sh                                                  run all checks and tests
TEXT
