"""The exit statuses of all commands. They are stable."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    FINE = 0  # visible, or nothing wrong
    FAILURE = 1  # an operation failed, a case failed, a line of a log was refused, or `lint` gives advice that `--fail-on` counts
    USAGE = 2  # the command line is invalid; the number is that of the option parser
    WITHHELD = 3  # withheld or suspended, from `check` only
    INVALID_RULES = 4  # rules, a snapshot, a case file, a ledger or a store was refused
