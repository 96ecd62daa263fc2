"""Train a leaderboard of models on historic data on this machine; export, evaluate and register the best."""

import sys
from functools import partial

from use_case_config import build_config

from ml_project.cli import run_use_case
from ml_project.commands import train_model
from ml_project.config import MODELLING

if __name__ == "__main__":
    sys.exit(run_use_case(train_model, partial(build_config, MODELLING)))
