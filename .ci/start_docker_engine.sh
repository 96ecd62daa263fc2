#!/usr/bin/env bash
# Make sure that a docker engine answers: eval "$(bash .ci/start_docker_engine.sh [FOLDER])"
# Prints what to export, and nothing where an engine answers already. Else, as root on Debian or Ubuntu, installs docker
# and starts an engine of its own in FOLDER (default: a fixed one among the temporary files), which is found again by
# the next call. End it with stop_docker_engine.sh FOLDER.
set -euo pipefail

readonly WAIT_SECONDS=30

say() { printf '%s\n' "$*" >&2; }

answers() { timeout 10 docker info >/dev/null 2>&1; }

install_engine() {
    export PATH="$PATH:/usr/sbin:/sbin" # a shell that is no login shell may lack these
    if command -v dockerd >/dev/null && command -v iptables >/dev/null && command -v ip >/dev/null; then
        return
    fi
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        say "No docker engine answers. Install one (https://docs.docker.com/engine/install) and start it."
        return 1
    fi
    say "Installing the docker engine ..."
    # RUNLEVEL=1: the package must not start an engine of its own.
    apt-get update -qq >&2
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        docker.io iptables iproute2 runc >/dev/null
}

# Print the runc to use. Where the kernel forbids to lower oom_score_adj (a container without CAP_SYS_RESOURCE), a
# container that asks for a negative one could not start; so it is started with 0.
runc_of_this_machine() {
    local folder=$1 runc
    runc=$(command -v runc)
    if (echo -1 >/proc/self/oom_score_adj) 2>/dev/null; then
        printf '%s\n' "$runc"
        return
    fi
    cat >"$folder/runc" <<SCRIPT
#!/bin/bash
previous=
for argument in "\$@"; do
    if [[ \$previous == --bundle && -f \$argument/config.json ]]; then
        sed -i -E 's/"oomScoreAdj": *-[0-9]+/"oomScoreAdj":0/' "\$argument/config.json"
    fi
    previous=\$argument
done
exec $runc "\$@"
SCRIPT
    chmod +x "$folder/runc"
    printf '%s\n' "$folder/runc"
}

# A pid file that an engine left behind when it was killed makes the next one refuse to start, or names a stranger.
remove_stale_pid_file() {
    local file=$1/docker.pid
    if [[ -f $file ]] && ! grep -qszF -- "$file" "/proc/$(cat "$file")/cmdline"; then
        rm -f "$file"
    fi
}

# Make a network bridge for the engine of a folder, and print its name. On a bridge that engines share, a container whose
# engine was killed goes on holding its address, and takes the packets of the next engine's container with the same one.
bridge_of() {
    local folder=$1 number bridge
    number=$(($(printf '%s' "$folder" | cksum | cut -d ' ' -f 1) % 65536))
    bridge=docker-$number
    if ! ip link show "$bridge" >/dev/null 2>&1; then
        ip link add name "$bridge" type bridge
        ip address add "10.$((number / 256)).$((number % 256)).1/24" dev "$bridge"
        ip link set "$bridge" up
    fi
    printf '%s\n' "$bridge"
}

start_engine() {
    local folder=$1 bridge
    remove_stale_pid_file "$folder"
    if [[ ! -f $folder/docker.pid ]]; then
        bridge=$(bridge_of "$folder")
        setsid nohup dockerd --host "$DOCKER_HOST" --data-root "$folder/data" --exec-root "$folder/exec" \
            --pidfile "$folder/docker.pid" --bridge "$bridge" \
            --add-runtime "own=$(runc_of_this_machine "$folder")" --default-runtime own \
            >"$folder/dockerd.log" 2>&1 </dev/null &
    fi
    for ((i = 0; i < WAIT_SECONDS * 10; i++)); do
        answers && return
        sleep 0.1
    done
    say "The docker engine did not answer within $WAIT_SECONDS s. The end of $folder/dockerd.log:"
    tail -n 20 "$folder/dockerd.log" >&2
    return 1
}

# Dockerfiles are built with BuildKit. A newer client needs its plugin buildx for that, the engine's own client does not.
prefer_client_with_buildkit() {
    local folder=$1
    if docker buildx version >/dev/null 2>&1 || [[ ! -x /usr/bin/docker ]]; then
        return
    fi
    mkdir -p "$folder/bin"
    ln -sf /usr/bin/docker "$folder/bin/docker"
    printf 'export PATH=%q:"%s" DOCKER_BUILDKIT=1\n' "$folder/bin" "\$PATH"
}

main() {
    local folder=${1:-${TMPDIR:-/tmp}/docker-engine-$(id -u)}
    answers && return
    install_engine
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    export DOCKER_HOST=unix://$folder/docker.sock
    start_engine "$folder"
    printf 'export DOCKER_HOST=%q\n' "$DOCKER_HOST"
    prefer_client_with_buildkit "$folder"
}

main "$@"
