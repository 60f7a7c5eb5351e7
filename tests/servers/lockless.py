"""Runs a command as on a file system without locks: the kernel itself refuses every lock, by a seccomp filter (x86-64).

python -m tests.servers.lockless ERRNO COMMAND …
"""

import ctypes
import os
import struct
import sys
from collections.abc import Sequence

_NUMBER, _COMMAND = 0, 24
"""Where a filter finds the system call's number and the low half of its second argument (struct seccomp_data)."""
_FCNTL, _FLOCK = 72, 73
_SETLK, _SETLKW = 6, 7
_LOAD, _IS, _ANSWER = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def program(number: int) -> Sequence[tuple[int, int, int, int]]:
    """Classic BPF: operation, how many to skip if it holds and if not, operand."""
    return (
        (_LOAD, 0, 0, _NUMBER),
        (_IS, 4, 0, _FLOCK),
        (_IS, 0, 4, _FCNTL),
        (_LOAD, 0, 0, _COMMAND),
        (_IS, 1, 0, _SETLK),
        (_IS, 0, 1, _SETLKW),
        (_ANSWER, 0, 0, _REFUSE | number),
        (_ANSWER, 0, 0, _ALLOW),
    )


def refuse_locks(number: int) -> None:
    """From now on, and for whatever this process becomes. Raises `OSError` where the system does not allow it."""
    code = b"".join(struct.pack("HBBI", *line) for line in program(number))
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SECCOMP, _FILTER, filter_, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter of system calls")


if __name__ == "__main__":
    refuse_locks(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is the test's
