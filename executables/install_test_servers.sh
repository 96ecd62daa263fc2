#!/usr/bin/env bash
# Make sure that the servers which the tests start are installed: PostgreSQL. The S3 server comes with the dev packages.
set -euo pipefail

has_postgres() {
    command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

has_postgres && exit
if command -v apt-get >/dev/null 2>&1 && [[ $(id -u) == 0 ]]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
else
    echo "The tests start a PostgreSQL server; install one: sudo apt-get install postgresql, or brew install postgresql" >&2
    exit 1
fi
