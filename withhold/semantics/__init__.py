"""What rules mean: each sentence of the contract once, for the engine, linting, reports and rule tests."""

from withhold.semantics.outcome import Answer, ReachingRule, RuleInForce, answer_at, combine, narrowest, speaking_key
from withhold.semantics.periods import edges, stretch_at, stretches, sweep
from withhold.semantics.reach import Extent, Reach, extent, partition, places_by_outcome, reach_of
from withhold.semantics.subject import concerning
from withhold.semantics.variation import varies_by

__all__ = [
    "Answer",
    "Extent",
    "Reach",
    "ReachingRule",
    "RuleInForce",
    "answer_at",
    "combine",
    "concerning",
    "edges",
    "extent",
    "narrowest",
    "partition",
    "places_by_outcome",
    "reach_of",
    "speaking_key",
    "stretch_at",
    "stretches",
    "sweep",
    "varies_by",
]
