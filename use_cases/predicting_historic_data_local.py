"""Score a table of historic data on this machine with the exported model."""

import sys
from functools import partial

from use_case_config import build_config

from ml_project.cli import run_use_case
from ml_project.commands import predict_table
from ml_project.config import SCORING

if __name__ == "__main__":
    sys.exit(run_use_case(predict_table, partial(build_config, SCORING)))
