"""``python -m deployment.deployer``, which ``executables/cloud_setup.sh`` and ``cleanup_project.sh`` call."""

import sys

from deployment.deployer.command_line import main

if __name__ == "__main__":
    sys.exit(main())
