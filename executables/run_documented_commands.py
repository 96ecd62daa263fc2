"""Run every command of the documentation as it stands, in order: python executables/run_documented_commands.py FILE...

A fenced block marked ``bash`` is run. One marked ``bash server=URL`` is started, must answer on the URL, and is
stopped. One marked ``bash fails=CODE`` must end with that exit code. One marked ``bash by-hand`` is not run, because it
would clone the repository or run this pipeline inside itself.
"""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```bash[ \t]*(?P<mark>[^\n]*)\n(?P<commands>.*?)^```", re.MULTILINE | re.DOTALL)
SERVER_SECONDS = 90


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


def run_block(block: Block) -> bool:
    """Run a block and return whether it did what its mark says."""
    print(f"\n--- {block.file}:{block.line} {block.mark}\n{block.commands.rstrip()}", flush=True)
    if block.mark == "by-hand":
        return True
    if block.mark.startswith("server="):
        return run_server(block.commands, block.mark.removeprefix("server="))
    expected = int(block.mark.removeprefix("fails=")) if block.mark.startswith("fails=") else 0
    code = subprocess.run(["bash", "-euo", "pipefail", "-c", block.commands], check=False).returncode
    if code != expected:
        print(f"exit code {code}, expected {expected}", flush=True)
    return code == expected


def run_server(commands: str, url: str) -> bool:
    """Start a server, wait until it answers, and stop it with everything that it started."""
    server = subprocess.Popen(["bash", "-c", commands], start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SERVER_SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            if answers(url):
                print(f"{url} answers", flush=True)
                return True
            time.sleep(0.5)
        print(f"{url} does not answer", flush=True)
        return False
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def answers(url: str) -> bool:
    """Return whether a URL answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  a URL of the documentation
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    """Run the blocks of all files; the first failure ends it."""
    blocks = [block for name in sys.argv[1:] for block in find_blocks(Path(name))]
    for block in blocks:
        if not run_block(block):
            print(f"FAILED: {block.file}:{block.line}", file=sys.stderr)
            return 1
    print(f"\n{len(blocks)} blocks of commands did what the documentation says.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
