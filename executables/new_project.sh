#!/usr/bin/env bash
# Make a project of your own from this one and a table, or compare a project with its data:
#   bash executables/new_project.sh --name churn --data customers.csv --target Churn --dest ../churn
#   bash executables/new_project.sh --refresh
# Relative paths are those of the folder that this is called from. --help shows all options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

bash "$root/executables/setup.sh"
# -P: the folder that this is called from may have a folder named scaffolding, too.
PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m scaffolding "$@"
