"""The process of :mod:`deployment.deployer.imports`: serve an artifact with what there is, and report what is missing.

Run as a script; it can import nothing but the standard library until it has set its path.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

SHOWN = ("/ready", "/version", "/schema", "/metrics", "/openapi.json")
"""Routes whose code imports more than that of a prediction."""
OWN = "ml_project"


class Caught(logging.Handler):
    """Keeps the errors that the service logs and does not tell its clients."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error of a record."""
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append(record.exc_info[1])


def main(order: str) -> None:
    """Do what an order in JSON says, and write the report."""
    asked = json.loads(order)
    sys.path[:0] = asked["paths"]
    tries: list[tuple[str, Callable[[], object]]] = [(name, partial(import_module, name)) for name in asked["modules"]]
    tries.append((asked["artifact"], partial(serve, Path(asked["artifact"]))))
    problems = []
    for place, attempt in tries:
        try:
            attempt()
        except Exception as error:  # noqa: BLE001  whatever fails here would fail where it is deployed
            problems.append(describe(error, place))
    distinct = {json.dumps(problem): problem for problem in problems}
    Path(asked["report"]).write_text(json.dumps(list(distinct.values())), encoding="utf-8")


def serve(artifact: Path) -> None:
    """Load an artifact, answer its example and show what there is to show; raise what goes wrong."""
    from ml_project.artifacts.container import read_container
    from ml_project.artifacts.manifest import EXAMPLE
    from ml_project.serving.deployed import deployed_api
    from ml_project.serving.messages import JSON, HttpRequest

    api = deployed_api(artifact, environment={})
    caught = Caught()
    logging.getLogger().addHandler(caught)
    example = read_container(artifact)[EXAMPLE]
    requests = [HttpRequest("POST", "/predict", {"content-type": JSON}, example)]
    requests += [HttpRequest("GET", path, {}) for path in SHOWN]
    for request in requests:
        answer = api.answer(request)
        if caught.errors:
            raise caught.errors[0]
        if answer.status != 200:
            raise RuntimeError(f"{request.method} {request.path} got {answer.status}: {answer.body!r:.300}")


def describe(error: BaseException, place: str) -> dict[str, str]:
    """Return an error as the fields of a problem: of an import the missing module and who wants it."""
    missing = next((one for one in _chain(error) if isinstance(one, ModuleNotFoundError) and one.name), None)
    if missing is None:
        return {"problem": f"cannot be used: {type(error).__name__}: {' '.join(str(error).split())}", "field": place}
    frames = traceback.walk_tb(missing.__traceback__)
    names = [frame.f_globals.get("__name__", "") for frame, _ in frames]
    importer = [name for name in names if name and not name.startswith("importlib")][-1]
    name = str(missing.name)
    where = "the deployed sources" if name.partition(".")[0] == OWN else "the deployed packages"
    wanted = "it has to be there" if importer == __name__ else f"{importer} imports it"
    return {"problem": f"is not in {where}, and {wanted}", "field": name}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _arguments() -> Sequence[str]:
    return sys.argv[1:]


if __name__ == "__main__":
    main(*_arguments())
