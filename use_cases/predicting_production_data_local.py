"""Stream simulated production records one by one through the model in this process."""

import sys
from functools import partial

from use_case_config import build_config

from ml_project.cli import run_use_case
from ml_project.config import LOCAL_PRODUCTION
from ml_project.production_commands import predict_stream_in_process

if __name__ == "__main__":
    sys.exit(run_use_case(predict_stream_in_process, partial(build_config, LOCAL_PRODUCTION)))
