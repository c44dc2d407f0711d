"""Compile structures.c, and load it with ctypes."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.structures.contenders import Contender, Ids, World


def compiler() -> str:
    """Return the command of the C compiler; exit if there is none."""
    named = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if named is None:
        sys.exit("stopped: no C compiler found; install gcc or clang, or name one in `CC`")
    return named


def flags_given() -> str:
    """Return the compiler flags that affect the figures."""
    return " ".join(["-O2", *shlex.split(os.environ.get("CFLAGS", ""))])


def compiled(directory: Path, mixer: int = 2) -> ctypes.CDLL:
    """Compile structures.c with one of its hash functions, and load it."""
    named = compiler()
    library = directory / f"structures{mixer}.so"
    flags = ["-std=gnu11", "-Wno-psabi", "-shared", "-fPIC", f"-DMIXER={mixer}", *shlex.split(flags_given())]
    command = [*shlex.split(named), *flags, "-o", str(library), str(Path(__file__).with_name("structures.c")), "-lm"]
    try:
        subprocess.run(command, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"stopped: `{named}` cannot compile structures.c, which needs gcc or clang, 64 bits, and mmap: {error}"
        )
    loaded = ctypes.CDLL(str(library))
    size, pointer = ctypes.c_uint64, ctypes.c_void_p
    loaded.tables_open.restype = pointer
    loaded.tables_open.argtypes = [
        ctypes.c_char_p, ctypes.c_double, ctypes.c_int, pointer, size, pointer, size,
    ]  # fmt: skip
    loaded.tables_close.argtypes = [pointer]
    loaded.tables_bytes.restype, loaded.tables_bytes.argtypes = size, [pointer]
    loaded.tables_passed.restype, loaded.tables_passed.argtypes = size, [pointer, pointer, size]
    loaded.longest_bucket.restype, loaded.longest_bucket.argtypes = ctypes.c_uint32, [pointer]
    for ask in (loaded.ask_alone, loaded.ask_beside_work, loaded.ask_in_a_row, loaded.ask_by_page):
        ask.restype, ask.argtypes = None, [pointer, pointer, size, pointer]
    loaded.ask_beside_work.restype = ctypes.c_int64
    return loaded


def address(values: Ids) -> int:
    """Return the address of an array."""
    return values.buffer_info()[0]


def opened(library: ctypes.CDLL, contender: Contender, world: World) -> int:
    """Build the tables of a structure, and return their address."""
    sides = (address(world.tweets), len(world.tweets), address(world.accounts), len(world.accounts))
    made: int = library.tables_open(contender.kind.encode(), contender.k, contender.huge, *sides)
    return made
