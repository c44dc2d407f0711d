"""An append-only record of events in a database, chained by hashes. It does not know what the events mean."""

from withhold.errors import HeadMoved, LedgerError, missing_extra

try:
    from withhold.ledger.event import EMPTY, Event, Head, NewEvent
    from withhold.ledger.folds import Fold, States
    from withhold.ledger.ledger import Ledger
    from withhold.ledger.progress import Progress
    from withhold.ledger.reading import Reading
    from withhold.ledger.transfer import export, import_
    from withhold.ledger.verification import Verification, verify
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sqlalchemy":
        raise
    raise missing_extra(error, "demands") from None

__all__ = [
    "EMPTY",
    "Event",
    "Fold",
    "Head",
    "HeadMoved",
    "Ledger",
    "LedgerError",
    "NewEvent",
    "Progress",
    "Reading",
    "States",
    "Verification",
    "export",
    "import_",
    "verify",
]
