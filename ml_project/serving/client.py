"""A client of a prediction service, ours or one with the same HTTP contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from ml_project.serving.client_errors import NotOurServiceError, ServiceUnreachableError
from ml_project.serving.client_transport import Transport

SERVICE_NAME = "ml_project"
"""What our services call themselves at ``/version``."""


class PredictionClient:
    """Sends records to a prediction service and returns its answers.

    A call is tried again, after pauses that double and vary at random, while there is no connection or the service
    answers 503; by ``Retry-After`` it may say how long to pause. Where a connection is lost after the records arrived,
    their predictions may so be stored twice. A call that gets no answer in time is not tried again.

    One connection is kept open; use one client per thread.

    Parameters
    ----------
    url
        Address of the service, such as ``https://predictions.example.com``.
    timeout_seconds
        Seconds to wait for the connection, and again for the answer.
    max_attempts
        Attempts at one call.
    api_key
        The service's key, where it asks for one.
    pause_seconds
        Longest pause before the second attempt.

    Examples
    --------
    >>> with PredictionClient("http://127.0.0.1:8000/") as client:
    ...     client.url
    'http://127.0.0.1:8000'
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 10.0,
        max_attempts: int = 5,
        api_key: str | None = None,
        pause_seconds: float = 0.2,
    ) -> None:
        self._transport = Transport(
            url,
            timeout_seconds=timeout_seconds,
            max_attempts=max_attempts,
            api_key=api_key,
            pause_seconds=pause_seconds,
        )

    @property
    def url(self) -> str:
        """Return the address of the service."""
        return self._transport.url

    def predict(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return one answer per record, in order.

        Parameters
        ----------
        records
            Values by field, ``None`` for missing.

        Returns
        -------
        list of dict
            ``{"prediction_id", "label", "probas"}`` or ``{"prediction_id", "value"}``, and ``"outliers"`` where there
            are any.

        Raises
        ------
        InvalidDataError
            When the service refuses records, with every problem.
        ServiceUnreachableError
            When there is no connection, or the service answers 503, at every attempt.
        NotOurServiceError
            When something else answers.
        ServiceCallError
            When the service fails, or does not answer in time.
        WrongKeyError, RequestError
            When the service does not take the request as it is.
        """
        content = self._transport.call("POST", "/predict", list(records))
        answers = content.get("predictions") if isinstance(content, dict) else None
        if not isinstance(answers, list) or len(answers) != len(records):
            call = self._transport.name("POST", "/predict")
            raise NotOurServiceError(
                f"{call} was answered without a list of {len(records)} predictions; check the address"
            )
        return answers

    def predict_one(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to one record; raises like :meth:`predict`."""
        return self._object("POST", "/predict", dict(record))

    def feedback(self, prediction_id: str, label: Any) -> None:
        """Tell the service what a prediction should have been; raises like :meth:`predict`."""
        self._transport.call("POST", "/feedback", {"prediction_id": prediction_id, "label": label})

    def ready(self) -> bool:
        """Return whether the service answers and has a model, after a single attempt.

        Raises
        ------
        NotOurServiceError
            When something else answers.
        """
        try:
            self._transport.call("GET", "/ready", max_attempts=1)
        except ServiceUnreachableError:
            return False
        return True

    def version(self) -> dict[str, Any]:
        """Return which code and which model answer; raises like :meth:`predict`."""
        found = self._object("GET", "/version")
        service = found.get("service")
        if not isinstance(service, dict) or service.get("name") != SERVICE_NAME:
            call = self._transport.name("GET", "/version")
            raise NotOurServiceError(f"{call} was answered by something else than a service of {SERVICE_NAME}")
        return found

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a record; raises like :meth:`predict`."""
        return self._object("GET", "/schema")

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _object(self, method: str, path: str, payload: Any = None) -> dict[str, Any]:
        content = self._transport.call(method, path, payload)
        if not isinstance(content, dict):
            call = self._transport.name(method, path)
            raise NotOurServiceError(f"{call} was answered with no JSON object; check the address")
        return content
