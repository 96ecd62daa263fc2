"""Where the record lies: the tracking address made absolute, and the folder of its artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ml_project.errors import TrackingError
from ml_project.masking import mask_credentials

SERVER_SCHEMES = ("http", "https", "databricks")
DATABASE_SCHEMES = ("postgresql", "mysql", "mssql")
ARTIFACT_FOLDER = "mlruns"


@dataclass(frozen=True, slots=True)
class TrackingPlace:
    """A tracking server or database.

    Attributes
    ----------
    uri
        The address for MLflow; a SQLite file's is absolute.
    shown
        The address for readers, without credentials.
    database_file
        The SQLite file; ``None`` for everything else.
    artifact_root
        Folder for the artifacts of new experiments; ``None`` where a server decides.
    """

    uri: str
    shown: str
    database_file: Path | None = None
    artifact_root: Path | None = None


def find_place(tracking_uri: str) -> TrackingPlace:
    """Return the place that an address means, without touching it.

    Raises
    ------
    TrackingError
        When the address is of no kind that can hold a record.

    Examples
    --------
    >>> find_place("http://me:secret@tracking.example").shown
    'http://***@tracking.example'
    """
    scheme = urlsplit(tracking_uri).scheme.split("+")[0]
    shown = mask_credentials(tracking_uri)
    if scheme == "sqlite":
        return _sqlite_place(tracking_uri, shown)
    if scheme in SERVER_SCHEMES:
        return TrackingPlace(uri=tracking_uri.rstrip("/"), shown=shown)
    if scheme in DATABASE_SCHEMES:
        return TrackingPlace(uri=tracking_uri, shown=shown, artifact_root=Path.cwd() / ARTIFACT_FOLDER)
    raise TrackingError(
        f"tracking.tracking_uri is {shown!r}, which is neither a database nor a server; "
        "give for instance sqlite:///mlflow.db or http://127.0.0.1:5000 (MLflow's file store is no longer maintained)."
    )


def _sqlite_place(tracking_uri: str, shown: str) -> TrackingPlace:
    driver, _, rest = tracking_uri.partition("://")
    path, question_mark, options = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or path in ("", ":memory:"):
        raise TrackingError(f"tracking.tracking_uri is {shown!r}, which names no file; give for instance sqlite:///mlflow.db.")
    file = Path(path).absolute()
    return TrackingPlace(
        uri=f"{driver}:///{file}{question_mark}{options}",
        shown=f"sqlite:///{file}",
        database_file=file,
        artifact_root=file.parent / ARTIFACT_FOLDER,
    )
