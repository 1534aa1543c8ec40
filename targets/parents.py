"""A process that ends with its parent, whatever ends that. Standard library only; imports nothing of ours."""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None, use_errno=True)  # here, for a forked child should load nothing


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> bool:
    """Have the kernel send this process the signal when its parent ends; False where ``parent`` has ended already.

    Linux only; OSError where the kernel refuses. What is forked later has to ask for itself.
    """
    if _LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    return os.getppid() == parent
