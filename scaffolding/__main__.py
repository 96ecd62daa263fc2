"""``python -m scaffolding``."""

import sys

from scaffolding.command_line import main

if __name__ == "__main__":
    sys.exit(main())
