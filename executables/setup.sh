#!/usr/bin/env bash
# Install everything from the lock file into .venv: bash executables/setup.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly PYTHON_VERSION=3.12
CATEGORIES="packages models xgboost lightgbm catboost tables fastapi flask store client aws-lambda"
readonly CATEGORIES="$CATEGORIES google-cloud-function train dev-packages"
readonly STAMP=.venv/installed-lock.sha256
export PIPENV_VENV_IN_PROJECT=1 PIPENV_IGNORE_VIRTUALENVS=1 PIPENV_VERBOSITY=-1

say() { printf '%s\n' "$*" >&2; }

is_wanted_python() {
    "$1" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$PYTHON_VERSION')" >/dev/null 2>&1
}

# Print the path of a Python of the wanted version: on PATH, in pyenv, or in a usual place.
find_python() {
    local candidate
    for candidate in "python$PYTHON_VERSION" python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$PYTHON_VERSION".*/bin/python \
        /usr/local/bin/"python$PYTHON_VERSION" /opt/homebrew/bin/"python$PYTHON_VERSION"; do
        candidate=$(command -v "$candidate" || true)
        if [[ -n $candidate ]] && is_wanted_python "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    if command -v pyenv >/dev/null 2>&1; then
        for candidate in "$(pyenv root)"/versions/"$PYTHON_VERSION".*/bin/python; do
            if [[ -x $candidate ]] && is_wanted_python "$candidate"; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    fi
    say "This project needs Python $PYTHON_VERSION with venv, and found none on PATH or in pyenv."
    say "Install it with one of these, then run this command again:"
    say "  pyenv install $PYTHON_VERSION                                    (any system)"
    say "  sudo apt-get install python$PYTHON_VERSION python$PYTHON_VERSION-venv     (Debian, Ubuntu)"
    say "  brew install python@$PYTHON_VERSION                              (macOS)"
    return 1
}

has_pipenv() { command -v pipenv >/dev/null 2>&1 && pipenv --version >/dev/null 2>&1; }

# Make the command pipenv available: beside the Python on PATH where that is allowed, else in a folder of its own.
install_pipenv() {
    local python=$1 own=${XDG_DATA_HOME:-$HOME/.local/share}/pipenv bin=$HOME/.local/bin
    has_pipenv && return
    say "Installing pipenv ..."
    if command -v python3 >/dev/null 2>&1 && python3 -m pip install --quiet pipenv >/dev/null 2>&1; then
        if command -v pyenv >/dev/null 2>&1; then pyenv rehash >/dev/null 2>&1 || true; fi
        hash -r
        has_pipenv && return
    fi
    "$python" -m venv "$own"
    "$own/bin/python" -m pip install --quiet pipenv
    if [[ :$PATH: != *":$bin:"* && :$PATH: == *:/usr/local/bin:* && -w /usr/local/bin ]]; then
        bin=/usr/local/bin
    fi
    mkdir -p "$bin"
    ln -sf "$own/bin/pipenv" "$bin/pipenv"
    if [[ :$PATH: != *":$bin:"* ]]; then
        export PATH="$bin:$PATH"
        say "pipenv lies in $bin, which is not on your PATH. To use it in this shell:  export PATH=\"$bin:\$PATH\""
    fi
}

lock_hash() { "$1" -c 'import hashlib, sys; print(hashlib.sha256(b"".join(open(f, "rb").read() for f in sys.argv[1:])).hexdigest())' Pipfile.lock pyproject.toml; }

main() {
    local python
    python=$(find_python)
    install_pipenv "$python"
    if [[ -x .venv/bin/python && -f $STAMP && $(cat "$STAMP") == "$(lock_hash "$python")" ]]; then
        return
    fi
    if [[ -e .venv ]] && ! is_wanted_python .venv/bin/python; then
        say "The folder .venv has no Python $PYTHON_VERSION; remove it (rm -r .venv) and run this command again."
        return 1
    fi
    say "Installing the locked packages into .venv (one to two minutes) ..."
    pipenv --python "$python" verify >/dev/null || {
        say "Pipfile.lock does not belong to Pipfile; run: pipenv lock --categories \"$CATEGORIES\""
        return 1
    }
    pipenv sync --categories "$CATEGORIES" >&2
    lock_hash "$python" >"$STAMP"
}

main "$@"
