"""The command line: ``kunren VERB …``. Verbs live in ``drills.commands``, one file per family."""

from __future__ import annotations

import os
import sys
import traceback

from drills.errors import KunrenError, machine_is_short
from drills.exits import CUTS, EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_REFUSED, complain
from drills.interrupts import Terminated, exit_of, first_signal_raises
from drills.streams import standard_streams


def main() -> None:
    """Entry point: every failure becomes one clear line and an exit code of the documented table."""
    with standard_streams() as output, first_signal_raises():
        code = _run()
        output.flush()
        if output.lost is not None:
            complain(f"cannot write to standard output: {output.lost} (send it to a file that can be written)")
            code = code or EXIT_REFUSED
    sys.exit(code)


def _run() -> int:
    code: int | None
    try:
        # here, so that Ctrl-C during the first second of importing is no trace-back either
        from drills.commands.app import app

        code = app(standalone_mode=False)
    except KunrenError as error:
        complain(str(error), last=True)
        code = error.exit_code
    except (KeyboardInterrupt, Terminated) as cut:
        code = exit_of(cut)
        complain(CUTS[code], last=True)
    except SystemExit:
        code = EXIT_INTERNAL  # a library's own wish to end; its 1 would mean a failed drill
    except Exception as error:  # noqa: BLE001  # last stop: a bug of ours still gets one line and exit 70
        code = _usage_or_bug(error)
    return code or 0


def _usage_or_bug(error: Exception) -> int:
    if type(error).__name__ == "Abort":  # how the command-line library passes Ctrl-C on
        complain(CUTS[EXIT_INTERRUPTED], last=True)
        return EXIT_INTERRUPTED
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # the command-line library's own errors
        if says := error.format_message():  # bare `kunren` has printed its help already
            complain(f"{says} (kunren --help lists the verbs, kunren VERB --help its options)", last=True)
        return EXIT_REFUSED
    lacks = machine_is_short(error)
    if lacks is not None:
        complain(lacks, last=True)
        return EXIT_REFUSED
    complain(f"internal error: {type(error).__name__}: {error}", last=True)
    if "KUNREN_DEBUG" in os.environ:
        complain("".join(traceback.format_exception(error)))
    else:
        complain("set KUNREN_DEBUG=1 to see where")
    return EXIT_INTERNAL


if __name__ == "__main__":
    main()
