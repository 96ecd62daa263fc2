"""Whether an artifact can be served with nothing but the packages and sources that are deployed, tried before they are.

A process of its own gets a folder with links to the files of the locked packages, as they are installed here, and a zip
file of the deployed sources; it can import nothing else but Python's own modules.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from deployment.deployer.sources import package_files
from ml_project.errors import Problem

PROBE = Path(__file__).with_name("import_probe.py")
LONGEST_SECONDS = 120
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)


def check_imports(artifact: Path, requirements: str, root: Path, modules: Sequence[str] = ()) -> list[Problem]:
    """Return what keeps an artifact from being served with these packages; nothing where all is well.

    The artifact is loaded, answers its example, and shows its schema and its documentation.

    Parameters
    ----------
    artifact
        File of the artifact.
    requirements
        Text that :func:`deployment.deployer.requirements.locked_requirements` returned.
    root
        Folder of the project, from which the sources are deployed.
    modules
        Modules that have to be importable too, such as a web framework's.
    """
    wanted = {found["name"]: found["version"] for found in _REQUIREMENT.finditer(requirements)}
    installed = {name: _installed(name) for name in wanted}
    problems = [problem for name, version in wanted.items() for problem in _differs(name, version, installed[name])]
    if problems:
        return problems
    with tempfile.TemporaryDirectory(prefix="ml_project_imports_") as folder:
        packages, sources = Path(folder, "packages"), Path(folder, "sources.zip")
        packages.mkdir()
        for found in filter(None, installed.values()):
            _link(found, packages)
        with zipfile.ZipFile(sources, "w") as archive:
            for path, content in package_files(root).items():
                archive.writestr(path, content)
        return _probe(artifact.resolve(), Path(folder), [str(sources), str(packages)], modules)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _differs(name: str, version: str, found: Distribution | None) -> Iterator[Problem]:
    """Yield the problem of a package that is not installed here as it is locked."""
    if found is None or found.version != version:
        wanted = f"{version} is locked, and here is {'none' if found is None else found.version}"
        yield Problem(f"{wanted}, so the imports cannot be checked; run executables/setup.sh", name)


def _link(found: Distribution, packages: Path) -> None:
    """Make links to all files of a distribution but its programs: to whole folders where no other one has a part."""
    for file in found.files or ():
        top = packages / file.parts[0]
        if ".." in file.parts or file.suffix == ".pth" or top.is_symlink():
            continue
        folder = Path(str(found.locate_file(file.parts[0])))
        if (folder / "__init__.py").exists() or folder.suffix in (".dist-info", ".libs"):
            top.symlink_to(folder)
            continue
        link = packages / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(str(found.locate_file(file)))


def _probe(artifact: Path, folder: Path, paths: Sequence[str], modules: Sequence[str]) -> list[Problem]:
    """Return what the process reports that can import from some paths only."""
    report = folder / "report.json"
    order = json.dumps({"artifact": str(artifact), "paths": paths, "modules": modules, "report": str(report)})
    # -I -S: no variables, no site-packages, no folder of the script
    command = (sys.executable, "-I", "-S", "-B", str(PROBE), order)
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  words of this module, no shell
            command, cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return [Problem(f"did not answer its example within {LONGEST_SECONDS} s", str(artifact))]
    if not report.exists():
        last = (done.stderr.strip().splitlines() or ["nothing was written"])[-1]
        return [Problem(f"ended the process that should serve it ({done.returncode}): {last}", str(artifact))]
    return [Problem(**found) for found in json.loads(report.read_text(encoding="utf-8"))]
