"""``python -m ml_project``."""

import sys

from ml_project.cli import main

if __name__ == "__main__":
    sys.exit(main())
