"""What a deployment that runs on this machine takes: its processes and containers, their memory, their size on disk."""

import gzip
import io
import json
import os
import re
import subprocess
import tarfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INIT_REPORT = re.compile(r"INIT[ _]REPORT.*?(?:Init Duration|durationMs)\D*?([\d.]+)")
HANDLER_REPORT = re.compile(r"^REPORT RequestId.*?\bDuration: ([\d.]+) ms", re.MULTILINE)
PACKAGE = "onnxruntime"
"""Every deployment has loaded it, so that its place tells where the packages lie."""


@dataclass(frozen=True)
class Size:
    """Bytes as they are transferred and as they lie on disk; ``None`` where nothing is packed."""

    compressed: int | None
    unpacked: int | None


class Footprint:
    """What was started since this object was made.

    Parameters
    ----------
    folder
        Where the deployment's files lie.
    repository
        Folder of the project, whose own environment is nobody's package.
    """

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder = folder
        self._own_environment = repository / ".venv"
        self._containers_before = frozenset(list_containers())
        self._processes_before = frozenset(descendants(os.getpid()))

    def look(self) -> None:
        """Find out what was started; it must still run."""
        self.processes = [found for found in descendants(os.getpid()) if found not in self._processes_before]
        self.containers = []
        if not any(map(packages_of, self.processes)):  # else it is not in a container, whatever else was started here
            self.containers = [found for found in list_containers() if found not in self._containers_before]
        for container in self.containers:
            first = inspect("container", container)["State"]["Pid"]
            self.processes += [first, *descendants(first)]
        self.processes = [process for process in dict.fromkeys(self.processes) if Path(f"/proc/{process}").exists()]

    def started(self) -> float | None:
        """Return when the first process was started, in seconds since the epoch."""
        return min((start_time(process) for process in self.processes), default=None)

    def resident_bytes(self) -> int | None:
        """Return the memory of all processes together, with shared pages counted once."""
        return sum(proportional_bytes(process) for process in self.processes) if self.processes else None

    def size(self) -> Size:
        """Return the size of the image, or of the packages and what lies in the folder."""
        if self.containers:
            image = inspect("container", self.containers[0])["Image"]
            return Size(compressed_image(image), inspect("image", image)["Size"])
        packages = next((found for process in self.processes if (found := packages_of(process)) is not None), None)
        if packages is None or packages.is_relative_to(self._own_environment):
            return Size(None, None)
        return Size(*(sum(sizes) for sizes in zip(folder_sizes(packages), folder_sizes(self._folder), strict=True)))

    def log(self) -> str:
        """Return all that the deployment has written to logs."""
        written = [path.read_text(errors="replace") for path in sorted(self._folder.rglob("*.log"))]
        for container in self.containers:
            done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=False)
            written.append(done.stdout + done.stderr)
        return "\n".join(written)


def list_containers() -> list[str]:
    """Return the containers that run; none without docker."""
    try:
        done = subprocess.run(["docker", "ps", "--quiet", "--no-trunc"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return done.stdout.split()


def inspect(kind: str, name: str) -> dict:
    """Return what docker knows of a container or an image."""
    done = subprocess.run(["docker", kind, "inspect", name], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]


def descendants(pid: int) -> list[int]:
    """Return the children of a process, and theirs."""
    children = [int(word) for task in Path(f"/proc/{pid}/task").glob("*/children") for word in read(task).split()]
    return [found for child in children for found in (child, *descendants(child))]


def start_time(pid: int) -> float:
    """Return when a process was started, in seconds since the epoch."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")


def proportional_bytes(pid: int) -> int:
    """Return a process's resident memory, of shared pages only its share."""
    found = re.search(r"^Pss:\s+(\d+) kB", read(Path(f"/proc/{pid}/smaps_rollup")), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def packages_of(pid: int) -> Path | None:
    """Return the folder from which a process has loaded its packages."""
    found = re.search(rf"(/\S+)/{PACKAGE}/capi/\S+\.so", read(Path(f"/proc/{pid}/maps")))
    return Path(found[1]) if found else None


def read(file: Path) -> str:
    """Return a text of the kernel, empty when its process has just ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


class Counter(io.RawIOBase):
    """A file that only counts its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.n_bytes = 0

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, content: bytes) -> int:
        """Count bytes."""
        self.n_bytes += len(content)
        return len(content)


@cache
def compressed_image(image: str) -> int:
    """Return about what a registry transfers of an image: its layers, compressed with gzip."""
    counter = Counter()
    with (
        subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving,
        gzip.GzipFile(fileobj=counter, mode="wb", compresslevel=6) as packed,
    ):
        while chunk := saving.stdout.read(1 << 20):
            packed.write(chunk)
    return counter.n_bytes


@cache
def folder_sizes(folder: Path) -> tuple[int, int]:
    """Return the size of a folder as a compressed archive, and the size of its files."""
    counter = Counter()
    with tarfile.open(fileobj=counter, mode="w|gz", compresslevel=6) as archive:
        archive.add(folder, arcname=".", filter=lambda member: None if member.name.endswith(".log") else member)
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path.suffix != ".log"]
    return counter.n_bytes, sum(path.stat().st_size for path in files)
