"""The packages of a deployment, exactly those of the lock file, in the form that pip checks by their hashes.

The lock is read here and not by pipenv, because a machine that deploys need not have pipenv, and because the file says
all there is to know: versions, hashes, markers, and the hash of the Pipfile that it was made from.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deployment.deployer.errors import DeploymentError
from ml_project.artifacts.manifest import Manifest
from ml_project.errors import Problem

LOCK, PIPFILE = "Pipfile.lock", "Pipfile"
NOT_USABLE = "The requirements cannot be taken from Pipfile.lock; nothing was written."
LIBRARIES = ("xgboost", "lightgbm", "catboost")
"""Import names of libraries whose models need a category of that name."""
_LOCKED_NAMES = {"packages": "default", "dev-packages": "develop"}
_NO_CATEGORIES = frozenset({"source", "requires", "scripts", "pipenv", "pipfile"})

Package = Mapping[str, Any]


def categories_for(manifest: Manifest, *extra: str, storage: bool = False) -> tuple[str, ...]:
    """Return the Pipfile's categories that serving an artifact needs.

    Parameters
    ----------
    manifest
        Of the artifact; only the ONNX engine does without the libraries that the model was made with.
    *extra
        Further categories, such as the web framework's.
    storage
        Whether predictions are stored.
    """
    libraries = [name for name in LIBRARIES if name in manifest.model_packages]
    models = () if manifest.engine.name == "onnx" else ("models", *libraries)
    store = ("store",) if storage else ()
    return tuple(dict.fromkeys(("packages", *extra, *models, *store)))


def locked_requirements(root: Path, categories: Sequence[str]) -> str:
    """Return requirements for ``pip install --require-hashes``, sorted by name; this project itself is none of them.

    Parameters
    ----------
    root
        Folder with ``Pipfile`` and ``Pipfile.lock``.
    categories
        Categories of the Pipfile, such as ``packages``.

    Raises
    ------
    DeploymentError
        When the lock is missing, unreadable or older than the Pipfile, or has no such category or no hash of a package.
    """
    pipfile, lock = _read(root)
    problems = [*_unknown(categories, pipfile), *_stale(pipfile, lock)]
    if problems:
        raise DeploymentError(NOT_USABLE, problems)
    packages: dict[str, Package] = {}
    for category in categories:
        for name, package in lock.get(_LOCKED_NAMES.get(category, category), {}).items():
            if not package.get("editable"):
                packages[name] = _merge(packages[name], package) if name in packages else package
    problems = [problem for name, package in sorted(packages.items()) for problem in _unusable(name, package)]
    if problems:
        raise DeploymentError(NOT_USABLE, problems)
    head = f"# Locked packages of {', '.join(categories)}; change them in Pipfile.\n"
    return head + "".join(_line(name, package) for name, package in sorted(packages.items()))


def _read(root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the contents of Pipfile and lock."""
    problems = []
    contents: list[dict[str, Any]] = []
    for name, parse in ((PIPFILE, tomllib.loads), (LOCK, json.loads)):
        try:
            contents.append(parse((root / name).read_text(encoding="utf-8")))
        except FileNotFoundError:
            problems.append(Problem("there is no such file; restore it, or run pipenv lock", str(root / name)))
        except (OSError, ValueError) as error:
            problems.append(Problem(f"cannot be read: {error}", str(root / name)))
    if problems:
        raise DeploymentError(NOT_USABLE, problems)
    return contents[0], contents[1]


def _known(pipfile: Mapping[str, Any]) -> list[str]:
    return [section for section in pipfile if section not in _NO_CATEGORIES]


def _unknown(categories: Sequence[str], pipfile: Mapping[str, Any]) -> list[Problem]:
    """Return the categories that the Pipfile does not have, each with those that it has, the closest first."""
    known = _known(pipfile)
    problems = []
    for category in categories:
        if category not in known:
            closest = difflib.get_close_matches(category, known, n=len(known), cutoff=0.0)
            problems.append(Problem(f"is no category; {PIPFILE} has {', '.join(closest)}", "category", value=category))
    return problems


def _stale(pipfile: Mapping[str, Any], lock: Mapping[str, Any]) -> list[Problem]:
    """Return the problem of a lock that was made from another Pipfile, or nothing."""
    locked = lock.get("_meta", {}).get("hash", {}).get("sha256")
    if locked == pipfile_hash(pipfile):
        return []
    command = f'pipenv lock --categories "{" ".join(_known(pipfile))}"'
    return [Problem(f"was made from another {PIPFILE} than the one beside it; run {command}", LOCK)]


def pipfile_hash(pipfile: Mapping[str, Any]) -> str:
    """Return the hash that pipenv puts into the lock of a Pipfile.

    Parameters
    ----------
    pipfile
        The Pipfile's content.
    """
    content = {
        "_meta": {"sources": pipfile.get("source", []), "requires": pipfile.get("requires", {})},
        **{_LOCKED_NAMES.get(name, name): pipfile[name] for name in _known(pipfile)},
    }
    for name in _LOCKED_NAMES.values():
        content.setdefault(name, {})
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _merge(one: Package, other: Package) -> Package:
    """Return a package that two categories have: with the extras of both, and wherever one of them wants it."""
    markers = {one.get("markers"), other.get("markers")}
    merged = {**one, "extras": sorted({*one.get("extras", ()), *other.get("extras", ())})}
    merged["versions"] = {*one.get("versions", {one.get("version")}), *other.get("versions", {other.get("version")})}
    merged["hashes"] = sorted({*one.get("hashes", ()), *other.get("hashes", ())})
    merged["markers"] = None if None in markers else " or ".join(sorted(f"({marker})" for marker in markers))
    if len(markers) == 1:
        merged["markers"] = markers.pop()
    return merged


def _unusable(name: str, package: Package) -> list[Problem]:
    """Return why pip could not check a package, or nothing."""
    versions = package.get("versions", {package.get("version")})
    if len(versions) > 1:
        found = " and ".join(sorted(map(str, versions)))
        return [Problem("is locked in two versions; cap it alike in all categories and lock again", name, value=found)]
    if not package.get("hashes") or None in versions:
        return [Problem("is locked without version or hash; only packages of an index can be deployed", name)]
    return []


def _line(name: str, package: Package) -> str:
    extras = f"[{','.join(package['extras'])}]" if package.get("extras") else ""
    marker = f" ; {package['markers']}" if package.get("markers") else ""
    hashes = "".join(f" \\\n    --hash={digest}" for digest in sorted(package["hashes"]))
    return f"{name}{extras}{package['version']}{marker}{hashes}\n"
