"""The process of one run: ``drills.execution.child PARENT PIPE``, started by ``drills.api``.

The request is the first line of stdin (``drills.spec.wire``); where a person acts, that one's actions follow it. What
happens goes to PIPE, an inherited descriptor, ``Ended`` at last. It is the leader of a session of its own, so a
terminal's Ctrl-C reaches it through PARENT alone; the first signal ends the run in order, as does PARENT's death. It
begins with these signals blocked, so that none comes too early.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from threading import Thread

from drills.errors import KunrenError, Refused, machine_is_short
from drills.execution.events import Cut, Emit, Ended, How, cut_by
from drills.execution.outlet import Outlet
from drills.exits import complain
from drills.interrupts import DEVICE_LOST, ENDING, Terminated, first_signal_raises
from drills.operators.actions import Actions
from drills.record.names import Unusable, reference
from drills.streams import standard_streams
from targets.parents import die_with_parent

STDIN, READ = 0, 1 << 16


def main() -> None:
    """Entry point of the process."""
    parent, pipe = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(pipe, False)  # at whose end the run is over, whatever outlives it
    with standard_streams(), first_signal_raises():
        if not die_with_parent(parent, signal.SIGTERM):
            return
        outlet = Outlet(pipe)
        lines = _lines(STDIN)
        outlet.emit(_ended(next(lines, b""), lines, outlet.emit))
        outlet.close()


def _ended(request: bytes, actions: Iterator[bytes], emit: Emit) -> Ended:
    """How the run ended, or why it was not begun. From then on no signal is heeded any more."""
    ended: Ended | None = None
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*ENDING, DEVICE_LOST))
        ended = _carried_out(request, actions, emit)
        _heed_no_more()
    except (KeyboardInterrupt, Terminated) as error:  # before the run had begun, or when it was over
        _heed_no_more()
        cut = cut_by(error)
        ended = Ended(None, cut.how, cut=cut) if ended is None else Ended(ended.run, ended.reason, ended.says, cut)
    return ended


def _heed_no_more() -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _carried_out(request: bytes, lines: Iterator[bytes], emit: Emit) -> Ended:
    try:
        # here, where signals are heeded already: it takes a while
        from drills.execution.runner import run
        from drills.spec.wire import from_wire

        wanted = from_wire(request)
        finished = run(wanted, emit, None if wanted.person is None else _actions(lines))
    except KunrenError as error:
        return _not_begun(_cut(error))
    except Exception as error:  # noqa: BLE001  # a bug of ours: whoever asked for the run is told, and goes on
        lacks = machine_is_short(error)
        return _not_begun(_bug(error) if lacks is None else Cut(How.REFUSED, lacks))
    reason, says = ("error", "") if finished.end is None else (finished.end.reason, finished.end.says)
    return Ended(reference(finished.folder), reason, says, None if finished.error is None else _cut(finished.error))


def _actions(lines: Iterator[bytes]) -> Actions:
    """Those of the person, which follow the request."""
    actions = Actions()
    Thread(target=actions.feed, args=(lines,), name="actions of a person", daemon=True).start()
    return actions


def _lines(file: int) -> Iterator[bytes]:
    """Whole lines as they come, and what there is at the end.

    Read without a buffer of Python's own: the interpreter could not end while a thread waits in one.
    """
    rest = b""
    while data := os.read(file, READ):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _bug(error: Exception) -> Cut:
    says = f"internal error: {type(error).__name__}: {error}"
    if "KUNREN_DEBUG" not in os.environ:
        return Cut(How.FAILED, f"{says} (set KUNREN_DEBUG=1 to see where)")
    complain("".join(traceback.format_exception(error)))
    return Cut(How.FAILED, says)


def _not_begun(cut: Cut) -> Ended:
    return Ended(None, "refused" if cut.how is How.REFUSED else "error", cut.message, cut)


def _cut(error: BaseException) -> Cut:
    if isinstance(error, Refused | Unusable):
        return Cut(How.REFUSED, error.message, error.fix)
    return Cut(How.FAILED, str(error)) if isinstance(error, KunrenError) else cut_by(error)


if __name__ == "__main__":
    main()
