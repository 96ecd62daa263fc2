"""Run every command of the documentation as it stands, in order.

    python executables/run_documented_commands.py [--require-tools] FILE...

A fenced block marked ``bash`` is run. One marked ``bash server=URL`` is started, must answer on the URL, and is
stopped; one marked ``bash background=URL`` is stopped after the last block of its file. One marked ``bash fails=CODE``
must end with that exit code. One marked ``bash by-hand`` is not run, because it would clone the repository, run this
pipeline inside itself, or take very long.

A file with the line ``<!-- The commands of this page need TOOL. -->`` is left out where there is no such program (for
docker: where no engine answers), and named at the end; with ``--require-tools`` that is a failure.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```bash[ \t]*(?P<mark>[^\n]*)\n(?P<commands>.*?)^```", re.MULTILINE | re.DOTALL)
NEED = re.compile(r"^<!-- The commands of this page need (?P<tool>\S+)\. -->$", re.MULTILINE)
SERVER_SECONDS = 90
N_SLOWEST = 10


@dataclass(frozen=True)
class Block:
    """Commands of one fenced block."""

    file: Path
    line: int
    mark: str
    commands: str


def find_blocks(file: Path) -> list[Block]:
    """Return the blocks of commands in a Markdown file."""
    text = file.read_text(encoding="utf-8")
    return [
        Block(file, text.count("\n", 0, match.start()) + 1, match["mark"].strip(), match["commands"])
        for match in BLOCK.finditer(text)
    ]


def run_file(file: Path, durations: dict[Block, float]) -> Block | None:
    """Run the blocks of a file, note their seconds, and return the first that does not do what its mark says."""
    with ExitStack() as servers:
        for block in find_blocks(file):
            started = time.monotonic()
            if not run_block(block, servers):
                return block
            durations[block] = time.monotonic() - started
    return None


def run_block(block: Block, servers: ExitStack) -> bool:
    """Run a block and return whether it did what its mark says; what stays in the background is ended by the stack."""
    print(f"\n--- {block.file}:{block.line} {block.mark}\n{block.commands.rstrip()}", flush=True)
    kind, _, value = block.mark.partition("=")
    if kind == "by-hand":
        return True
    if kind == "background":
        return start_server(block.commands, value, servers)
    if kind == "server":
        with ExitStack() as only_this:
            return start_server(block.commands, value, only_this)
    expected = int(value) if kind == "fails" else 0
    code = subprocess.run(["bash", "-euo", "pipefail", "-c", block.commands], check=False).returncode
    if code != expected:
        print(f"exit code {code}, expected {expected}", flush=True)
    return code == expected


def start_server(commands: str, url: str, servers: ExitStack) -> bool:
    """Start a server and return whether it answers; the stack ends it with everything that it started."""
    server = subprocess.Popen(["bash", "-c", commands], start_new_session=True, stdout=subprocess.DEVNULL)
    servers.callback(stop_server, server)
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if answers(url):
            print(f"{url} answers", flush=True)
            return True
        time.sleep(0.5)
    print(f"{url} does not answer", flush=True)
    return False


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """End a server and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def answers(url: str) -> bool:
    """Return whether a URL answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  a URL of the documentation
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def find_missing_tool(file: Path) -> str | None:
    """Return the tool that the commands of a file need and this machine lacks, or ``None``."""
    need = NEED.search(file.read_text(encoding="utf-8"))
    if need is None:
        return None
    tool = need["tool"]
    is_there = shutil.which(tool) is not None
    if is_there and tool == "docker":
        is_there = subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0
    return None if is_there else tool


def main() -> int:
    """Run the blocks of all files; the first failure ends it."""
    parser = argparse.ArgumentParser(description="Run every command of the documentation as it stands, in order.")
    parser.add_argument("--require-tools", action="store_true", help="fail where a tool that a page needs is missing")
    parser.add_argument("files", nargs="+", type=Path)
    words = parser.parse_args()
    missing = {file: tool for file in words.files if (tool := find_missing_tool(file)) is not None}
    left_out = [f"{file}: there is no {tool}" for file, tool in missing.items()]
    if left_out and words.require_tools:
        print("FAILED:", *left_out, sep="\n", file=sys.stderr)
        return 1
    durations: dict[Block, float] = {}
    for file in words.files:
        failed = None if file in missing else run_file(file, durations)
        if failed is not None:
            print(f"FAILED: {failed.file}:{failed.line}", file=sys.stderr)
            return 1
    print(f"\n{len(durations)} blocks of commands did what the documentation says. The slowest:")
    for block in sorted(durations, key=durations.__getitem__, reverse=True)[:N_SLOWEST]:
        print(f"{durations[block]:7.1f} s  {block.file}:{block.line}")
    for line in left_out:
        print(f"not run: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
