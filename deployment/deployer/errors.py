"""What keeps a deployment from being set up or removed.

The tree, below :class:`ml_project.errors.MlProjectError`::

    DeploymentError             deployment_failed
    ├── UsageError              deployment_usage
    ├── FileConflictError       deployment_file_conflict
    └── StepFailedError         deployment_step_failed
"""

from __future__ import annotations

from ml_project.errors import MlProjectError


class DeploymentError(MlProjectError):
    """A deployment that cannot be set up or removed as things are."""

    code = "deployment_failed"


class UsageError(DeploymentError):
    """A command line that names an unknown provider or option."""

    code = "deployment_usage"


class FileConflictError(DeploymentError):
    """Files in the way that the deployer did not write, or that were edited since."""

    code = "deployment_file_conflict"


class StepFailedError(DeploymentError):
    """Something that failed half-way, with what exists now and how to go on."""

    code = "deployment_step_failed"
