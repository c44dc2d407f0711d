"""What the command's exit status means; stable."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    FINE = 0  # visible, or nothing wrong
    FAILURE = 1  # something could not be done, a case failed, or there is advice to fail on
    USAGE = 2  # the command was not understood; the number is that of the option parser
    WITHHELD = 3  # withheld or suspended, of `check` alone
    INVALID_RULES = 4  # rules, a snapshot or a case file was refused
