"""The command `consilium`: every way to run and look after an installation."""

import os
import sys

from consilium.ops.command import Problem, parser


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand; a problem is one sentence on standard error and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    os.umask(0o077)  # whatever a command writes is its owner's alone
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen) or 0)
    except Problem as problem:
        for sentence in problem.sentences:
            sys.stderr.write(f"consilium: {sentence}\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
