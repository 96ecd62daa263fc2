#!/usr/bin/env bash
# Make sure that the images which the Dockerfiles start from are there: bash .ci/provide_base_images.sh
# Each is pulled. Where its registry cannot be reached, a stand-in takes its name: made of Debian's packages, the
# CPython 3.12 of this machine and, for Lambda, AWS's runtime client and emulator. A stand-in knows the certificates and
# the package index of this machine, so that `docker build` works in it as it does in the original elsewhere.
# A pulled image is never replaced. Stand-ins carry the label ml-project.stand-in; to be rid of them:
#   docker rmi $(docker images --quiet --filter label=ml-project.stand-in)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly DEBIAN_IMAGE=debian:bookworm-slim PYTHON_IMAGE=python:3.12-slim LAMBDA_IMAGE=public.ecr.aws/lambda/python:3.12
readonly LABEL=ml-project.stand-in PULL_SECONDS=300 CONNECT_SECONDS=10
# What CPython's modules are linked against.
readonly DEBIAN_PACKAGES=ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,netbase,tzdata,zlib1g
readonly AWSLAMBDARIC=awslambdaric==4.2.2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '%s\n' "$*" >&2; }

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# A registry that cannot be reached lets `docker pull` wait for long, so it is asked first.
can_reach() { curl --silent --output /dev/null --connect-timeout "$CONNECT_SECONDS" --max-time "$CONNECT_SECONDS" "$1"; }

pull() {
    local image=$1 registry=https://registry-1.docker.io/v2/
    if [[ $image == */*/* ]]; then registry=https://${image%%/*}/v2/; fi
    can_reach "$registry" && timeout "$PULL_SECONDS" docker pull --quiet "$image" >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12.*/bin/python3.12 python3.12; do
        candidate=$(command -v "$candidate" || true)
        if [[ -n $candidate ]] && "$candidate" -c 'import sys; sys.exit(sys.prefix != sys.base_prefix)'; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "The stand-in for $PYTHON_IMAGE needs a CPython 3.12 on this machine: pyenv install 3.12"
    return 1
}

build_debian() {
    if ! command -v mmdebstrap >/dev/null; then
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
    fi
    # shellcheck disable=SC2016 # mmdebstrap's own shell replaces $1 by the folder
    mmdebstrap --quiet --variant=minbase --include="$DEBIAN_PACKAGES" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' bookworm - |
        docker import --change "LABEL $LABEL=1" --change 'CMD ["bash"]' - "$DEBIAN_IMAGE" >/dev/null
}

build_python() {
    local folder=$work/python prefix
    has_image "$DEBIAN_IMAGE" || build_debian
    prefix=$("$(find_python)" -c 'import sys; print(sys.base_prefix)')
    mkdir -p "$folder/usr/local" "$folder/etc/ssl/certs"
    tar -C "$prefix" --exclude=__pycache__ --exclude='lib/python3.12/site-packages/*' --exclude=lib/python3.12/test \
        --exclude='lib/python3.12/config-*' --exclude='*.a' --exclude=share -cf - bin include lib |
        tar -C "$folder/usr/local" -xf -
    # Only the interpreter: what else lies there has this machine's paths in it.
    find "$folder/usr/local/bin" -mindepth 1 ! -name python3.12 -delete
    ln -s python3.12 "$folder/usr/local/bin/python3"
    ln -s python3.12 "$folder/usr/local/bin/python"
    cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$folder/etc/ssl/certs/ca-certificates.crt"
    write_pip_config >"$folder/etc/pip.conf"
    # The linker's cache is for a CPython with a shared library; --strip takes away what only a debugger wants.
    cat >"$folder/Dockerfile" <<DOCKERFILE
FROM $DEBIAN_IMAGE
LABEL $LABEL=1
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
COPY etc /etc
COPY usr /usr
RUN ldconfig && python -m ensurepip && ln -sf pip3 /usr/local/bin/pip && find /usr/local -name __pycache__ -prune -exec rm -r {} +
CMD ["python3"]
DOCKERFILE
    docker build --quiet --tag "$PYTHON_IMAGE" "$folder" >/dev/null
}

write_pip_config() {
    local index=${PIP_INDEX_URL:-}
    if [[ -z $index ]]; then index=$(python3 -m pip config get global.index-url 2>/dev/null || true); fi
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n'
    if [[ -n $index ]]; then printf 'index-url = %s\n' "$index"; fi
}

build_lambda() {
    local folder=$work/lambda
    has_image "$PYTHON_IMAGE" || build_python
    bash executables/install_provider_runtimes.sh rie
    mkdir -p "$folder"
    cp .runtimes/bin/aws-lambda-rie "$folder/"
    # As the original's: outside of Lambda the emulator starts the runtime, and in Lambda the runtime starts alone.
    cat >"$folder/lambda-entrypoint.sh" <<'SCRIPT'
#!/bin/sh
if [ $# -ne 1 ]; then
    echo "entrypoint requires the handler name to be the first argument" >&2
    exit 142
fi
export _HANDLER="$1"
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    exec /usr/local/bin/aws-lambda-rie /var/lang/bin/python3.12 -m awslambdaric "$1"
fi
exec /var/lang/bin/python3.12 -m awslambdaric "$1"
SCRIPT
    cat >"$folder/Dockerfile" <<DOCKERFILE
FROM $PYTHON_IMAGE
LABEL $LABEL=1
RUN mkdir -p /var/task /var/runtime /var/lang/bin && ln -s /usr/local/bin/python3.12 /var/lang/bin/python3.12 && python -m pip install --quiet --no-cache-dir --target /var/runtime $AWSLAMBDARIC
ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime PYTHONPATH=/var/runtime TZ=:UTC
COPY --chmod=755 aws-lambda-rie /usr/local/bin/aws-lambda-rie
COPY --chmod=755 lambda-entrypoint.sh /lambda-entrypoint.sh
WORKDIR /var/task
ENTRYPOINT ["/lambda-entrypoint.sh"]
DOCKERFILE
    docker build --quiet --tag "$LAMBDA_IMAGE" "$folder" >/dev/null
}

provide() {
    local image=$1 build=$2
    has_image "$image" && return
    if pull "$image"; then
        say "$image: pulled"
    else
        SECONDS=0
        "$build"
        say "$image: its registry cannot be reached; a stand-in was built in $SECONDS s"
    fi
}

main() {
    provide "$DEBIAN_IMAGE" build_debian
    provide "$PYTHON_IMAGE" build_python
    provide "$LAMBDA_IMAGE" build_lambda
}

main "$@"
