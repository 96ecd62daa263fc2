#!/usr/bin/env bash
# Make sure that the servers which the tests start are installed: PostgreSQL, and a registry to push images to (tests
# that need it are skipped without it). The S3 server comes with the dev packages.
set -euo pipefail

has_postgres() {
    command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

missing=()
has_postgres || missing+=(postgresql)
command -v docker-registry >/dev/null 2>&1 || missing+=(docker-registry)
if ((${#missing[@]} == 0)); then exit; fi
if command -v apt-get >/dev/null 2>&1 && [[ $(id -u) == 0 ]]; then
    # RUNLEVEL=1: the tests start their own; the packages must not.
    apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
elif ! has_postgres; then
    echo "The tests start a PostgreSQL server; install one: sudo apt-get install postgresql, or brew install postgresql" >&2
    exit 1
fi
