"""Import pyarrow, or raise an error that names its extra."""

from __future__ import annotations

from withhold.errors import missing_extra

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ModuleNotFoundError as _error:
    raise missing_extra(_error, "arrow") from None

__all__ = ["pa", "pc"]
