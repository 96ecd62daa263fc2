"""The exported model of a version in MLflow's registry, as a file that a service can load."""

from __future__ import annotations

import contextlib
import difflib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ml_project.artifacts.compatibility import refuse_incompatible
from ml_project.artifacts.container import unpack
from ml_project.artifacts.manifest import Manifest, find_manifest
from ml_project.config_service import REGISTRY_ADDRESS
from ml_project.errors import ArtifactError, MlProjectError, TrackingError
from ml_project.safe_file import replace_file
from ml_project.tracking.connection import connect, prepare_mlflow
from ml_project.tracking.places import find_place
from ml_project.tracking.texts import explain_problem

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

MAX_NAMES_READ = 500
MAX_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version of a registered model.

    Attributes
    ----------
    name
        Name of the registered model.
    version
        Number of the version, as text.
    """

    name: str
    version: str

    def __str__(self) -> str:
        """Return it in words."""
        return f"version {self.version} of the model {self.name!r}"


def fetch_registry_model(address: str, tracking_uri: str, destination: Path) -> str:
    """Copy the exported model that an address means from the registry to a file, all or nothing.

    Parameters
    ----------
    address
        ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.
    tracking_uri
        Address of the tracking server or database.
    destination
        File to write or replace.

    Returns
    -------
    str
        Number of the version in the registry.

    Raises
    ------
    TrackingError
        When the registry does not answer, or has no such model, alias or version.
    ArtifactError
        When the version holds no exported model, or a damaged or incompatible one, or the file cannot be written; what
        was at ``destination`` is unchanged.
    """
    registry = ModelRegistry(tracking_uri)
    found = registry.find(address)
    registry.fetch(found, destination)
    return found.version


class ModelRegistry:
    """The registered models of a tracking server or database, to be read.

    It connects with the first question, and again after one that failed. To be made in the main thread.

    Parameters
    ----------
    tracking_uri
        Address of the tracking server or database.

    Raises
    ------
    TrackingError
        When the address is of no kind that can hold a registry.
    """

    def __init__(self, tracking_uri: str) -> None:
        prepare_mlflow()
        self._place = find_place(tracking_uri)

    @property
    def shown(self) -> str:
        """Return the address for readers, without credentials."""
        return self._place.shown

    def find(self, address: str) -> RegisteredVersion:
        """Return the version that an address means now.

        Parameters
        ----------
        address
            ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.

        Raises
        ------
        TrackingError
            When the registry does not answer, or has no such model, alias or version; known ones are named.
        """
        parts = parse_address(address)
        with self._reconnecting_after_failure():
            found = self._look_up(parts["name"], parts["alias"], parts["version"])
        if found.status != "READY":
            raise TrackingError(
                f"Version {found.version} of the model {found.name!r} at {self.shown} is not ready but {found.status}; "
                "wait until it is registered, or choose another one in serving.model"
            )
        return RegisteredVersion(str(found.name), str(found.version))

    def fetch(self, wanted: RegisteredVersion, destination: Path) -> Manifest:
        """Copy a version's exported model to a file, all or nothing, and return what it says about itself.

        Raises
        ------
        TrackingError
            When the registry or the storage of its files does not answer.
        ArtifactError
            When there is no exported model, or a damaged or incompatible one, or the file cannot be written; what was
            at ``destination`` is unchanged.
        """
        with self._reconnecting_after_failure(), tempfile.TemporaryDirectory(prefix="ml_project-") as folder:
            content = self._download(wanted, Path(folder))
        manifest = _check(content, f"The exported model in {wanted} at {self.shown}")
        try:
            replace_file(destination, content)
        except OSError as error:
            raise ArtifactError(
                f"The model's file {destination} cannot be written: {error.strerror or error}; free space or give this "
                "user the right to write there"
            ) from error
        return manifest

    @cached_property
    def _client(self) -> MlflowClient:
        file = self._place.database_file
        if file is not None and not file.exists():  # connecting would make a new database, which holds no model
            raise TrackingError(
                f"There is no registry at {self.shown}; train with tracking.enabled, or correct tracking.tracking_uri"
            )
        return connect(self._place)

    @contextlib.contextmanager
    def _reconnecting_after_failure(self) -> Iterator[None]:
        """Turn whatever goes wrong with the registry into a readable error, and forget the connection."""
        try:
            yield
        except MlProjectError:
            raise
        except Exception as error:
            self.__dict__.pop("_client", None)
            raise TrackingError(
                f"The registry at {self.shown} cannot be read: {explain_problem(error)}. Check that it runs and still "
                "has the model's files, and that tracking.tracking_uri and its credentials are right."
            ) from error

    def _look_up(self, name: str, alias: str | None, version: str | None) -> ModelVersion:
        from mlflow.exceptions import MlflowException

        client = self._client
        try:
            if alias is None:
                return client.get_model_version(name, str(version))
            return client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise TrackingError(self._explain_unknown(client, name, alias, version)) from error

    def _explain_unknown(self, client: MlflowClient, name: str, alias: str | None, version: str | None) -> str:
        """Return which part of an address is unknown, and what is known instead."""
        names = [model.name for model in client.search_registered_models(max_results=MAX_NAMES_READ)]
        if name not in names:
            closest = difflib.get_close_matches(name, names, n=MAX_NAMES_SHOWN, cutoff=0.0)
            known = f"registered are, the closest first: {_enumerate(closest)}" if closest else "none is registered"
            return f"The registry at {self.shown} has no model {name!r}; {known}. Correct serving.model."
        if alias is not None:
            aliases = [f"{key} (version {value})" for key, value in client.get_registered_model(name).aliases.items()]
            known = f"its aliases are {_enumerate(sorted(aliases))}" if aliases else "it has none"
            return f"The model {name!r} at {self.shown} has no alias {alias!r}; {known}. Correct serving.model."
        versions = client.search_model_versions(f"name = '{name}'", max_results=MAX_NAMES_READ)
        newest = sorted((int(found.version) for found in versions), reverse=True)[:MAX_NAMES_SHOWN]
        known = f"its newest versions are {_enumerate(newest)}" if newest else "it has none"
        return f"The model {name!r} at {self.shown} has no version {version}; {known}. Correct serving.model."

    def _download(self, wanted: RegisteredVersion, folder: Path) -> bytes:
        """Return the bytes of a version's exported model."""
        from mlflow.artifacts import download_artifacts

        source = self._client.get_model_version_download_uri(wanted.name, wanted.version).rstrip("/")

        def download(path: str) -> Path:
            return Path(download_artifacts(f"{source}/{path}", dst_path=str(folder), tracking_uri=self._place.uri))

        path = _path_of_exported_model(download("MLmodel").read_bytes())
        if path is None:
            raise ArtifactError(
                f"There is no exported model of this project in {wanted} at {self.shown}; register one by a training"
            )
        return download(path).read_bytes()


def parse_address(address: str) -> re.Match[str]:
    """Return the parts ``name``, ``alias`` and ``version`` of an address, one of the last two being ``None``.

    Raises
    ------
    TrackingError
        When it is no address of a model in the registry.

    Examples
    --------
    >>> parse_address("models:/titanic@champion").groupdict()
    {'name': 'titanic', 'alias': 'champion', 'version': None}
    """
    parts = REGISTRY_ADDRESS.fullmatch(address)
    if parts is None:
        raise TrackingError(f"serving.model is {address!r}, but must be models:/NAME@ALIAS or models:/NAME/VERSION")
    return parts


def _path_of_exported_model(description: bytes) -> str | None:
    """Return where the exported model lies in an MLflow model, after its description; ``None`` where it has none."""
    import yaml

    from ml_project.tracking.exported_model import ARTIFACT_NAME

    found = yaml.safe_load(description)
    for key in ("flavors", "python_function", "artifacts", ARTIFACT_NAME, "path"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _check(content: bytes, place: str) -> Manifest:
    """Return the manifest of an exported model that is whole and fits the libraries installed here."""
    members = unpack(content, place)
    manifest = find_manifest(members, place, remedy="register the model again")
    refuse_incompatible(manifest, place)
    return manifest


def _enumerate(values: list[str] | list[int]) -> str:
    return ", ".join(map(str, values))
