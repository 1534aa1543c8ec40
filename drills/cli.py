"""The command line: ``kunren VERB …``. Verbs live in ``drills.verbs``, one file per family."""

from __future__ import annotations

import os
import sys
import traceback

from drills.errors import KunrenError
from drills.exits import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_REFUSED, EXIT_TERMINATED, complain
from drills.interrupts import Terminated, first_signal_raises


def main() -> None:
    """Entry point: every failure becomes one clear line and an exit code of the documented table."""
    with first_signal_raises():
        code = _run()
    sys.exit(code)


def _run() -> int:
    code: int | None
    try:
        # here, so that Ctrl-C during the first second of importing is no trace-back either
        from drills.verbs.app import app

        code = app(standalone_mode=False)
    except KunrenError as error:
        complain(str(error))
        code = error.exit_code
    except Terminated:
        complain("terminated")
        code = EXIT_TERMINATED
    except KeyboardInterrupt:
        complain("interrupted")
        code = EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):
        code = EXIT_INTERNAL  # whoever read our output has left; the libraries' own 1 would mean a failed drill
    except Exception as error:  # noqa: BLE001  # last stop: a bug of ours still gets one line and exit 70
        code = _usage_or_bug(error)
    return code or 0


def _usage_or_bug(error: Exception) -> int:
    if type(error).__name__ == "Abort":  # how the command-line library passes Ctrl-C on
        complain("interrupted")
        return EXIT_INTERRUPTED
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # the command-line library's own errors
        if error.format_message():  # bare `kunren` has printed its help already
            complain(f"{error.format_message()} (kunren --help lists the verbs, kunren VERB --help its options)")
        return EXIT_REFUSED
    complain(f"internal error: {type(error).__name__}: {error}")
    if "KUNREN_DEBUG" in os.environ:
        traceback.print_exception(error)
    else:
        complain("set KUNREN_DEBUG=1 to see where")
    return EXIT_INTERNAL


if __name__ == "__main__":
    main()
