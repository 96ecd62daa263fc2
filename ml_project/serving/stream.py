"""A simulated stream from the data to the report, whatever answers it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ml_project.config import Config
from ml_project.data.raw_schema import RawSchema
from ml_project.data.simulator import simulate_batches
from ml_project.errors import ConfigError, Problem
from ml_project.output_places import check_output_places
from ml_project.serving.answer_table import AnswerTable, answer_table
from ml_project.serving.refused_records import Send
from ml_project.serving.simulation import SimulationReport, run_simulation

SHOWN_ANSWERS = 3

Tell = Callable[[str], None]


def stream_records(config: Config, send: Send, schema: RawSchema, *, tell: Tell) -> SimulationReport:
    """Send the records that a config describes, show the first answers and the report, and return it.

    Parameters
    ----------
    config
        Data and simulation.
    send
        What answers records.
    schema
        The columns that the records have; see :func:`sent_columns`.
    tell
        Takes lines for the user.

    Raises
    ------
    ConfigError, DataSourceError, InvalidDataError
        When there is nothing to send or nowhere to write; see :func:`ml_project.data.simulator.simulate_batches`.
    MlProjectError, KeyboardInterrupt
        What ended the stream, after the report was shown and the answers so far were written.
    """
    simulation, id_column = config.simulation, config.data.id_column
    if simulation.output is not None:
        check_output_places(files={"simulation.output": simulation.output})
    batches = simulate_batches(config.data, schema, simulation, config.compute.seed)
    with answer_table(simulation.output, id_column) as table:
        report = run_simulation(
            send, batches, rate=simulation.rate, on_answers=_Shown(tell, table, id_column).take
        )
    for line in ("", *report.lines()):
        tell(line)
    if simulation.output is not None:
        tell(f"  answers in  {simulation.output}")
    report.raise_failure()
    return report


def sent_columns(wanted: Iterable[str], known: RawSchema, id_column: str | None) -> RawSchema:
    """Return the rules of the columns that a service wants, and of the identifier, by which answers are found again.

    Raises
    ------
    ConfigError
        When the service wants columns that the project does not know.
    """
    names = [*wanted]
    unknown = [name for name in names if name not in known.names]
    if unknown:
        text = "is wanted by the service, but not in ml_project/project/schema.py"
        problems = [Problem(text, name) for name in unknown]
        raise ConfigError("The service's model is for other data than this project's; nothing was sent.", problems)
    return known.select([*names, *(() if id_column is None else (id_column,))])


class _Shown:
    """Shows the first answers and hands all to a table."""

    def __init__(self, tell: Tell, table: AnswerTable | None, id_column: str | None) -> None:
        self._tell, self._table, self._id_column = tell, table, id_column
        self._room = SHOWN_ANSWERS

    def take(
        self, first: int, records: Sequence[Mapping[str, Any]], answers: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Take the answers of a batch."""
        if self._table is not None:
            self._table.add(first, records, answers)
        for place in list(answers)[: self._room]:
            found = {name: value for name, value in answers[place].items() if name != "prediction_id"}
            who = "" if self._id_column is None else f" ({self._id_column} {records[place].get(self._id_column)})"
            self._tell(f"record {first + place}{who}: {json.dumps(found)}")
            self._room -= 1
