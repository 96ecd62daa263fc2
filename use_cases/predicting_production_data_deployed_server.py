"""Stream simulated production records to a deployed service."""

import sys
from functools import partial

from use_case_config import build_config

from ml_project.cli import run_use_case
from ml_project.config import DEPLOYED_PRODUCTION
from ml_project.production_commands import predict_stream_deployed

if __name__ == "__main__":
    sys.exit(run_use_case(predict_stream_deployed, partial(build_config, DEPLOYED_PRODUCTION)))
