"""Reports on rule sets before they are served: the effects of a change, and the time that questions take."""

from withhold.reports.difference import Change, Difference, differences
from withhold.reports.summary import Impact, Side, Summary, summarize, weigh
from withhold.reports.traffic import Impression, read_traffic

__all__ = [
    "Change",
    "Difference",
    "Impact",
    "Impression",
    "Side",
    "Summary",
    "differences",
    "read_traffic",
    "summarize",
    "weigh",
]
