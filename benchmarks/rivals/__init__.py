"""Who is measured, and who is not, with the reason."""

#: The name in tables, and where it stands. In the order in which tables and plots name them.
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
    "one policy a rule (Cedar, py-abac, vakt, business-rules, casbin's Enforcer, JSON Logic, rule-engine)": (
        "linear in the number of rules: 1.6-18 ms a check at 1,000 rules, 0.3-1.7 s at 100,000; the engines above are "
        "given their rules as data, which is how they scale"
    ),
    "a loop over pydantic rules": "linear as well: 329 ms a check at a million rules",
    "sets of `isdisjoint`, a dict of pydantic objects, lru_cache": (
        "variants of the sets and the dict above, measured once and slower than these"
    ),
    "RocksDB": (
        "a store on disk like LMDB; with a Bloom filter, rocksdict 0.3.29 took 0.6 of LMDB's time for a miss at a million "
        "ids when both were measured once"
    ),
    "oso": "last released in January 2024; 373 µs a check at a million rules when it was measured once",
    "Unleash, GrowthBook, flagd": "feature flags: made for few flags, at 1.3, 29 and 65 ms a check when they were measured once",
    "OPA as WebAssembly": (
        "runtimes for Python are there (opa-wasmtime, opa-py-wasm), but only the `opa` command compiles a policy for them, "
        "and pip does not bring it; OPA itself is measured as a library"
    ),
    "durable-rules": "made for few rules: 2.0.28 took 20 µs a check at 500, and did not take in 700 within a minute",
    "cachebox": (
        "a cache as cachetools has, and faster: around `dict`, 6.2.10 took half as long as a TTLCache when both were measured "
        "once, which is still more than `dict` takes without a cache"
    ),
    "OPA or Cedar as a server": "a network round trip more than the same engine in the process",
}
