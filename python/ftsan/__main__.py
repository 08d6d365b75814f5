"""``python -m ftsan``.  Readable by any Python 3, so that the wrong one gets a clear line instead of a traceback."""

import sys


def main():
    # type: () -> int
    """Run the command line; returns the exit status."""
    from .env import unsupported

    reason = unsupported()
    if reason:
        sys.stderr.write("ftsan: " + reason + "\n")
        return 2
    from .cli import main as cli_main

    return cli_main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
