#!/usr/bin/env bash
# Prepare a deployment: bash executables/cloud_setup.sh PROVIDER [ARTIFACT] [--dry-run] [--force] [options of the provider]
# The provider may also stand in the variable cloud_provider. Without any words: what there is.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ ! -x $root/.venv/bin/python ]]; then
    echo "The deployer needs the project's environment; install it first: bash $root/executables/setup.sh" >&2
    exit 1
fi
# -P: the folder that this is called from may have a folder named deployment, too.
PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m deployment.deployer setup "$@"
