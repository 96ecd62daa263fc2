"""Whether the libraries installed here can use a model exported elsewhere.

The rule: the native engine needs scikit-learn and the model's own libraries in the same major and minor version,
because fitted estimators are private to a release. The ONNX engine needs ONNX Runtime of the same major version, at
least as new, because newer ones read older models. The mixed engine needs both. Another Python version is only noted.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from ml_project.artifacts.manifest import Manifest
from ml_project.errors import ArtifactIncompatibleError, Problem

_DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "sklearn": ("scikit-learn",),
    "imblearn": ("imbalanced-learn",),
    "xgboost": ("xgboost", "xgboost-cpu"),
}
RECORDED_PACKAGES = ("sklearn", "numpy", "pandas", "scipy", "skops", "onnxruntime")


def installed_version(package: str) -> str | None:
    """Return the version of a package by its import name, without importing it; ``None`` when it is not installed.

    Examples
    --------
    >>> installed_version("no_such_package") is None
    True
    """
    name = distribution_name(package)
    return version(name) if _is_installed(name) else None


def distribution_name(package: str) -> str:
    """Return the name under which pip knows a package; the first one installed where there are several.

    Examples
    --------
    >>> distribution_name("sklearn")
    'scikit-learn'
    """
    names = _DISTRIBUTIONS.get(package, (package,))
    return next((name for name in names if _is_installed(name)), names[0])


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed, by import name."""
    found = {package: installed_version(package) for package in packages}
    return {package: release for package, release in found.items() if release is not None}


def python_version() -> str:
    """Return the version of this Python, for instance ``3.12.4``."""
    return platform.python_version()


def refuse_incompatible(manifest: Manifest, place: str) -> tuple[str, ...]:
    """Return notes on harmless differences of versions.

    Raises
    ------
    ArtifactIncompatibleError
        Naming every library that does not fit, the version wanted and the one found.
    """
    of_onnx = () if manifest.engine.name == "native" else ("onnxruntime",)
    of_model = () if manifest.engine.name == "onnx" else ("sklearn", *manifest.model_packages)
    needed = (*of_onnx, *of_model)
    problems = [
        problem
        for package in dict.fromkeys(needed)
        if (problem := _misfit(package, manifest.library_versions.get(package))) is not None
    ]
    if problems:
        raise ArtifactIncompatibleError(
            f"{place} does not fit the libraries installed here; install the named versions, or train and export again",
            problems,
        )
    here = python_version()
    same_python = manifest.python.split(".")[:2] == here.split(".")[:2]
    return () if same_python else (f"exported with Python {manifest.python}, used with {here}",)


def _misfit(package: str, exported: str | None) -> Problem | None:
    """Return the problem with one library, or ``None``."""
    if exported is None:
        return None
    found = installed_version(package)
    if found is None:
        return Problem(f"is not installed; the model was exported with {exported}", package)
    then, now = _major_minor(exported), _major_minor(found)
    fits = then[0] == now[0] and then <= now if package == "onnxruntime" else then == now
    if fits:
        return None
    wanted = f"{then[0]}.{then[1]}" + (" or a later minor version" if package == "onnxruntime" else "")
    return Problem(f"version {wanted} is needed, because the model was exported with {exported}", package, value=found)


def _major_minor(release: str) -> tuple[int, ...]:
    digits = ["".join(character for character in part if character.isdigit()) for part in release.split(".")]
    return tuple(int(part or 0) for part in [*digits, "0"][:2])
