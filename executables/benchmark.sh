#!/usr/bin/env bash
# Measure speed, as ratios where there is something to compare with, side by side in one run:
#   bash executables/benchmark.sh training | import | engines | batch | serving | deployments [options]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
    training | import | engines | batch | serving)
        what=$1
        shift
        exec .venv/bin/python "executables/benchmark_$what.py" "$@"
        ;;
    deployments)
        shift
        exec .venv/bin/python executables/measure_deployments.py "$@"
        ;;
    *)
        echo "usage: bash executables/benchmark.sh training | import | engines | batch | serving | deployments [options]" >&2
        exit 2
        ;;
esac
