"""Give Arrow arrays to functions in C."""

from __future__ import annotations

from typing import Any

from withhold import native


def as_cells(column: Any, width: int) -> native.cells.Cells:
    """Return an Arrow array whose second buffer has values of `width` bytes. Nothing is copied."""
    validity, values, *_ = column.buffers()
    return native.cells.Cells(values, validity if column.null_count else None, column.offset, len(column), width)
