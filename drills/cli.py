"""The command line: ``kunren VERB …``. Verbs live in ``drills.verbs``, one file per family."""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from drills.errors import KunrenError
from drills.verbs import inspect, mend, run
from drills.verbs.common import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_REFUSED, EXIT_TERMINATED, complain

app = typer.Typer(
    name="kunren",
    help=(
        "Disaster drills that judge themselves: past incidents of brokerages, injected into a mini-brokerage under"
        " real load, recovered by a runbook, and judged by books that the fault cannot touch."
    ),
    epilog=(
        "Exit codes: 0 passed · 1 failed · 2 unknown or invalid · 3 refused to start · 70 internal error ·"
        " 130 interrupted · 143 terminated"
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for family in (inspect, run, mend):
    family.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"kunren {version('kunren')}")
        raise typer.Exit


@app.callback()
def _root(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """Options before the verb."""


def main() -> None:
    """Entry point: every failure becomes one clear line and an exit code of the documented table."""
    try:
        code = app(standalone_mode=False)
    except typer.Exit as leaving:
        code = leaving.exit_code
    except KunrenError as error:
        complain(str(error))
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted; everything was undone and stopped")
        code = EXIT_INTERRUPTED
    except run.Terminated:
        complain("terminated; everything was undone and stopped")
        code = EXIT_TERMINATED
    except BrokenPipeError:
        code = EXIT_INTERNAL  # whoever read our output has left
    except Exception as error:  # noqa: BLE001  # last stop: a bug of ours still gets one line and exit 70
        code = _usage_or_bug(error)
    sys.exit(code or 0)


def _usage_or_bug(error: Exception) -> int:
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # the command-line library's own errors
        complain(f"{error.format_message()} (kunren --help lists the verbs, kunren VERB --help its options)")
        return EXIT_REFUSED
    complain(f"internal error: {type(error).__name__}: {error}")
    if "KUNREN_DEBUG" in __import__("os").environ:
        traceback.print_exception(error)
    else:
        complain("set KUNREN_DEBUG=1 to see where")
    return EXIT_INTERNAL


if __name__ == "__main__":
    main()
