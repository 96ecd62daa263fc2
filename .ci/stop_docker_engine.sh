#!/usr/bin/env bash
# End the docker engine that start_docker_engine.sh started in FOLDER, with its containers: bash .ci/stop_docker_engine.sh [FOLDER]
# The images stay, for the next start. To remove them: rm -r FOLDER.
set -euo pipefail

readonly FOLDER=${1:-${TMPDIR:-/tmp}/docker-engine-$(id -u)}
readonly WAIT_SECONDS=30

[[ -f $FOLDER/docker.pid ]] || exit 0
pid=$(cat "$FOLDER/docker.pid")
# A number that was given to another process since is none of ours. The engine ends its containerd itself.
if grep -qszF -- "$FOLDER/docker.pid" "/proc/$pid/cmdline"; then
    kill "$pid"
    for ((i = 0; i < WAIT_SECONDS * 10; i++)); do
        [[ -d /proc/$pid ]] || exit 0
        sleep 0.1
    done
    echo "The docker engine (process $pid) did not end within $WAIT_SECONDS s." >&2
    exit 1
fi
rm -f "$FOLDER/docker.pid"
