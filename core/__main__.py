"""`python -m core`, and `doorstep` once the package is installed: the command line."""

import os
import sys

# Before numpy loads OpenMP: its waiting threads would spin and slow down other work on the machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def run() -> int:
    """Run the command that this process was started with and return its exit code."""
    from core.cli.main import main  # noqa: PLC0415 - after the setting above

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
