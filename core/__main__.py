"""`python -m core`: the command line."""

import os
import sys

# Before numpy loads OpenMP: waiting threads that spin slow everything on a machine that does other work too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if __name__ == "__main__":
    from core.cli.main import main

    sys.exit(main(sys.argv[1:]))
