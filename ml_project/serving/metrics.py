"""What the service counts, for Prometheus; with several worker processes, the sum over all of them."""

from __future__ import annotations

import os
from collections import Counter as Counts
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# Else there were a second series for each one, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder through which worker processes share their numbers."""

__all__ = ["CONTENT_TYPE_LATEST", "SHARED_FOLDER", "ServiceMetrics"]


class ServiceMetrics:
    """Counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "ml_project_requests", "Requests answered.", ("route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "ml_project_request_seconds", "Seconds per request.", ("route",), buckets=SECONDS, registry=registry
        )
        self.predictions = Counter(
            "ml_project_predictions", "Predictions made.", ("model_version", "label"), registry=registry
        )
        self.outliers = Counter(
            "ml_project_outlying_values", "Values beyond what training saw.", ("field",), registry=registry
        )
        self.invalid = Counter(
            "ml_project_invalid_requests", "Requests refused because a record breaks the schema.", registry=registry
        )
        self.feedback = Counter("ml_project_feedback", "Labels fed back.", registry=registry)
        self.lost = Counter(
            "ml_project_lost_predictions", "Predictions answered that could not be stored.", registry=registry
        )
        self.model_events = Counter(
            "ml_project_model_events", "Models loaded, swapped, refused or missing.", ("kind",), registry=registry
        )
        # Looking a label up costs more than counting does.
        self._request_counter = lru_cache(maxsize=500)(self.requests.labels)
        self._timer = lru_cache(maxsize=100)(self.seconds.labels)
        self._prediction_counter = lru_cache(maxsize=10_000)(self.predictions.labels)

    def show_in_flight(self, count: Callable[[], float]) -> None:
        """Show the number of requests under way as a function returns it; several workers have no such number."""
        if SHARED_FOLDER not in os.environ:
            gauge = Gauge("ml_project_requests_in_flight", "Requests under way.", registry=self.registry)
            gauge.set_function(count)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request.

        Parameters
        ----------
        route
            Path as the routes name it, so that there are few.
        status
            Status of the answer.
        seconds
            Time from the request's arrival to its answer.
        """
        self._request_counter(route, status).inc()
        self._timer(route).observe(seconds)

    def count_predictions(
        self, model_version: str, outputs: Sequence[Mapping[str, Any]], outliers: Sequence[Sequence[str]]
    ) -> None:
        """Count predictions by label, and outlying values by field; values of a regression have the label ``""``."""
        if len(outputs) == 1:
            self._prediction_counter(model_version, str(outputs[0].get("label", ""))).inc()
        else:
            for label, count in Counts(output.get("label", "") for output in outputs).items():
                self._prediction_counter(model_version, str(label)).inc(count)
        for fields in filter(None, outliers):
            for field in fields:
                self.outliers.labels(field).inc()

    def count_invalid(self) -> None:
        """Count a request that is refused because of its records."""
        self.invalid.inc()

    def count_feedback(self) -> None:
        """Count a label fed back."""
        self.feedback.inc()

    def count_loss(self, count: int, reason: str) -> None:
        """Count predictions that could not be stored."""
        self.lost.inc(count)

    def exposition(self) -> bytes:
        """Return all numbers in Prometheus' text format."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self.registry)
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # annotated in parts only
        return generate_latest(registry)
