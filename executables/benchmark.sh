#!/usr/bin/env bash
# Measure speed as ratios, side by side in one run: bash executables/benchmark.sh training | import | engines | batch | serving [options]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
    training | import | engines | batch | serving)
        what=$1
        shift
        exec .venv/bin/python "executables/benchmark_$what.py" "$@"
        ;;
    *)
        echo "usage: bash executables/benchmark.sh training | import | engines | batch | serving [options]" >&2
        exit 2
        ;;
esac
