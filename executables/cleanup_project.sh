#!/usr/bin/env bash
# Remove what cloud_setup.sh wrote, and nothing else: bash executables/cleanup_project.sh [PROVIDER] [--dry-run] [--force]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ ! -x $root/.venv/bin/python ]]; then
    echo "The deployer needs the project's environment; install it first: bash $root/executables/setup.sh" >&2
    exit 1
fi
PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m deployment.deployer cleanup "$@"
