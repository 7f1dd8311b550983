"""`python -m core`, and `doorstep` once the package is installed: the command line."""

import errno
import os
import sys

# Before numpy loads OpenMP: its waiting threads would spin and slow down other work on the machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_READER_GONE = 141
"""Exit code where what reads the output has ended, as `head` does: that of a program ended by SIGPIPE."""
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def run() -> int:
    """Run the command that this process was started with and return its exit code."""
    from core.cli.main import main  # noqa: PLC0415 - after the setting above
    from core.cli.roles import LONG  # noqa: PLC0415
    from core.progress import NICENESS  # noqa: PLC0415

    if LONG.intersection(sys.argv[1:2]):
        os.nice(NICENESS)
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        code = _READER_GONE
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        print(f"error: the result cannot be written ({error.strerror}); print it elsewhere.", file=sys.stderr)
        code = 1
    else:
        return code
    # Python writes what is left once more when it ends; nobody is there to read it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    sys.exit(run())
