"""The function as a zip package, for accounts and machines without docker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deployment.deployer.archives import zip_bytes
from deployment.deployer.bytecode import with_bytecode
from deployment.deployer.errors import DeploymentError

MOST_UNPACKED_BYTES = 262_144_000
"""250 MB: what Lambda unpacks at most."""
MOST_DIRECT_BYTES = 52_428_800
"""50 MB: the largest zip that goes to Lambda without passing through S3."""
# What Lambda's Python 3.12 runs on: Amazon Linux 2023 has glibc 2.34.
PLATFORMS = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64")


def build_package(requirements: str, files: Mapping[str, bytes]) -> bytes:
    """Return the zip: packages, sources and artifact with their bytecode; equal input gives equal bytes.

    Parameters
    ----------
    requirements
        Text of a requirements file with hashes.
    files
        Further content by path.

    Raises
    ------
    DeploymentError
        When pip refuses, or Lambda would refuse the package for its size.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _install(requirements, folder)
        installed = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and "tests" not in path.relative_to(folder).parts
        }
    content = with_bytecode({**installed, **files})
    check_unpacked_size({path: len(member) for path, member in content.items()})
    return zip_bytes(content)


def check_unpacked_size(sizes: Mapping[str, int]) -> None:
    """Refuse a package that Lambda would not unpack.

    Parameters
    ----------
    sizes
        Bytes by path.

    Raises
    ------
    DeploymentError
        With the largest packages.
    """
    total = sum(sizes.values())
    if total <= MOST_UNPACKED_BYTES:
        return
    by_package: dict[str, int] = {}
    for path, size in sizes.items():
        package = path.split("/")[0]
        by_package[package] = by_package.get(package, 0) + size
    largest = sorted(by_package, key=lambda package: -by_package[package])[:5]
    named = ", ".join(f"{package} {by_package[package] / 1e6:.0f} MB" for package in largest)
    raise DeploymentError(
        f"The zip package has {total / 1e6:.0f} MB unpacked ({named}), and Lambda takes at most "
        f"{MOST_UNPACKED_BYTES / 1e6:.0f} MB; deploy an image, which may have 10 GB (--package image), or "
        "a model for which ONNX Runtime predicts alone"
    )


def _install(requirements: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        listed = Path(name) / "requirements.txt"
        listed.write_text(requirements, encoding="utf-8")
        options = ("--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes")
        platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
        wheels = ("--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.12", *platforms)
        done = subprocess.run(  # noqa: S603  the words are made here
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                *options,
                *wheels,
                "--target",
                str(folder),
                "--requirement",
                str(listed),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise DeploymentError(f"pip could not install what the function needs:\n{done.stderr.strip()[-2000:]}")
