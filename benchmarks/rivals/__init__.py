"""The rivals that are measured, and those that are not, with the reasons."""

from importlib import import_module

from benchmarks.rivals.rival import Rival

#: Names in the order of tables and plots, each with its module and class.
RIVALS = {
    "withhold": "ours:Native",
    "withhold, pure Python": "ours:InPython",
    "withhold, file in Python": "ours:MappedInPython",
    "frozensets": "sets:FrozenSets",
    "dict": "dicts:Dict",
    "dict + TTLCache": "dicts:Cached",
    "numpy": "sorted_columns:Numpy",
    "pyroaring": "roaring:Roaring",
    "LMDB": "lmdb_tree:Lmdb",
    "SQLite": "sqlite_tables:Sqlite",
    "Redis": "redis_server:RedisServer",
    "regorus": "rego:Rvm",
    "regorus 0.2": "rego:Interpreter",
    "OPA": "rego:Opa",
    "rule-engine": "expressions:RuleEngine",
    "Cedar": "expressions:Cedar",
    "casbin": "expressions:Casbin",
}

NOT_TRIED = {
    "one policy per rule (Cedar, py-abac, vakt, business-rules, casbin's Enforcer, JSON Logic, rule-engine)": (
        "time is linear in the number of rules: 1.6-18 ms per check with 1,000 rules, 0.3-1.7 s with 100,000; the engines "
        "above get their rules as data, which scales"
    ),
    "a loop over pydantic rules": "time is linear too: 329 ms per check with a million rules",
    "sets of `isdisjoint`, a dict of pydantic objects, lru_cache": (
        "variants of the sets and the dict above, and slower when they were measured once"
    ),
    "RocksDB": (
        "a store on disk like LMDB; with a Bloom filter, rocksdict 0.3.29 took 60% of LMDB's time for a miss with a "
        "million ids when both were measured once"
    ),
    "oso": "its last release is of January 2024; it took 373 µs per check with a million rules when it was measured once",
    "Unleash, GrowthBook, flagd": "made for a few feature flags; they took 1.3, 29 and 65 ms per check when they were measured once",
    "OPA as WebAssembly": (
        "Python has runtimes (opa-wasmtime, opa-py-wasm), but only the `opa` command can compile a policy for them, and pip "
        "does not install it; OPA itself is measured as a library"
    ),
    "durable-rules": "made for few rules: 2.0.28 took 20 µs per check with 500 rules, and could not load 700 within a minute",
    "cachebox": (
        "a faster cache than that of cachetools: in front of `dict`, 6.2.10 took half as long as a TTLCache when both were "
        "measured once, which is still longer than `dict` without a cache"
    ),
    "OPA or Cedar as a server": "adds a network round trip to the same engine in the process",
}


def rival_class(name: str) -> type[Rival]:
    """Return the class of a rival. Raise `ImportError` if its library is not installed."""
    module, _, kind = RIVALS[name].partition(":")
    found: type[Rival] = getattr(import_module(f"benchmarks.rivals.{module}"), kind)
    return found
