"""The errors that the project raises on purpose, each with a stable code.

The tree::

    MlProjectError                  mlproject_error
    ├── ConfigError                 config_invalid
    ├── DataSourceError             data_source_unreadable
    ├── InvalidDataError            data_invalid
    │   └── TargetError             target_invalid
    ├── FeatureError                feature_invalid
    ├── ModellingError              modelling_failed
    ├── TrackingError               tracking_failed
    ├── RequestError                request_unusable
    │   ├── NotJsonError                not_json
    │   ├── BodyIncompleteError         body_incomplete
    │   ├── BodyTooSlowError            body_too_slow
    │   ├── BodyTooLargeError           body_too_large
    │   ├── BatchTooLargeError          batch_too_large
    │   ├── MediaTypeError              media_type_unsupported
    │   ├── WrongKeyError               api_key_wrong
    │   ├── UnknownRouteError           route_unknown
    │   └── WrongMethodError            method_not_allowed
    ├── UnavailableError            service_unavailable
    │   ├── NotReadyError               model_not_ready
    │   ├── OverloadedError             overloaded
    │   └── StorageOffError             storage_off
    └── ArtifactError               artifact_unusable
        ├── ArtifactDamagedError        artifact_damaged
        └── ArtifactIncompatibleError   artifact_incompatible

Every error says what is wrong, where, the value found and what to do. Problems of one kind are collected and
reported together, with at most :data:`MAX_SAMPLES_PER_PROBLEM` samples each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_SAMPLES_PER_PROBLEM = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    problem
        What is wrong and, where it is not obvious, what to do about it. One sentence.
    field
        The column or config field concerned; ``None`` where the whole input is meant.
    row
        The position of the row or record, counted from 0; ``None`` where no single row is meant.
    value
        The value found.
    """

    problem: str
    field: str | None = None
    row: int | None = None
    value: Any = None

    def __str__(self) -> str:
        """Return the problem as one line, for instance ``row 3, age = -4: must be at least 0``."""
        places = [] if self.row is None else [f"row {self.row}"]
        if self.field is not None:
            value = self.value.item() if isinstance(self.value, np.generic) else self.value
            places.append(self.field if value is None else f"{self.field} = {value!r}")
        return f"{', '.join(places)}: {self.problem}" if places else self.problem


class MlProjectError(Exception):
    """Base of all errors that the project raises on purpose.

    Parameters
    ----------
    message
        What is wrong and what to do, in one or two sentences.
    problems
        The single problems, in the order in which a reader wants them.
    """

    code = "mlproject_error"

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return the message with one indented line per problem."""
        return "\n".join([self.message, *(f"  - {problem}" for problem in self.problems)])


class ConfigError(MlProjectError):
    """A wrong value, combination or name in the configuration."""

    code = "config_invalid"


class DataSourceError(MlProjectError):
    """A file, database or object storage that cannot be read or does not hold a table."""

    code = "data_source_unreadable"


class InvalidDataError(MlProjectError):
    """Data that breaks the schema or the expectations of the data set."""

    code = "data_invalid"


class TargetError(InvalidDataError):
    """A target column from which nothing can be learned or evaluated."""

    code = "target_invalid"


class FeatureError(MlProjectError):
    """A feature process that is unknown, wrongly declared or returns something unusable."""

    code = "feature_invalid"


class ModellingError(MlProjectError):
    """A training run that cannot go on, for instance because every candidate failed."""

    code = "modelling_failed"


class TrackingError(MlProjectError):
    """A tracking server or database that cannot be used."""

    code = "tracking_failed"


class RequestError(MlProjectError):
    """A request that can never be answered as it is."""

    code = "request_unusable"


class NotJsonError(RequestError):
    """A body that is not what its content type says: JSON, CSV, a tensor."""

    code = "not_json"


class BodyIncompleteError(RequestError):
    """A body that ends before it is complete, or that is broken on the way."""

    code = "body_incomplete"


class BodyTooSlowError(RequestError):
    """A body that takes longer than the service waits for it."""

    code = "body_too_slow"


class BodyTooLargeError(RequestError):
    """A body with more bytes than the service takes."""

    code = "body_too_large"


class BatchTooLargeError(RequestError):
    """More records at once than the service takes."""

    code = "batch_too_large"


class MediaTypeError(RequestError):
    """A content type that the route does not understand."""

    code = "media_type_unsupported"


class WrongKeyError(RequestError):
    """A request without the service's key."""

    code = "api_key_wrong"


class UnknownRouteError(RequestError):
    """A path that the service does not have."""

    code = "route_unknown"


class WrongMethodError(RequestError):
    """A path that the service has, for other methods.

    Parameters
    ----------
    message
        What is wrong and what to do.
    allowed
        The methods that there are, separated by commas.
    """

    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class UnavailableError(MlProjectError):
    """Something that the service cannot do now."""

    code = "service_unavailable"


class NotReadyError(UnavailableError):
    """No model is loaded yet."""

    code = "model_not_ready"


class OverloadedError(UnavailableError):
    """Too many requests are under way."""

    code = "overloaded"


class StorageOffError(UnavailableError):
    """Nothing is stored, so nothing can be joined to a prediction."""

    code = "storage_off"


class ArtifactError(MlProjectError):
    """An exported model that cannot be written or used."""

    code = "artifact_unusable"


class ArtifactDamagedError(ArtifactError):
    """An artifact whose content is not what was written."""

    code = "artifact_damaged"


class ArtifactIncompatibleError(ArtifactError):
    """An artifact of another format version, or made by library versions that do not fit these."""

    code = "artifact_incompatible"
