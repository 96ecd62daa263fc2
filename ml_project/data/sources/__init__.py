"""Where historic data comes from: files, folders, databases and object storage behind one interface."""

from ml_project.data.sources.base import Source
from ml_project.data.sources.opening import open_source

__all__ = ["Source", "open_source"]
