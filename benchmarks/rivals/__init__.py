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
    "RocksDB (rocksdict)": "a store on disk like LMDB, at about the same cost a check (2.7 µs against 4.1)",
    "oso": "no longer developed; 373 µs a check at a million rules when it was measured once",
    "Unleash, GrowthBook, flagd": "feature flags: made for few flags, at 1.3, 29 and 65 ms a check",
    "OPA as WebAssembly": "no runtime for it in Python could be obtained",
    "durable-rules": "does not build",
    "cachebox": "5.2.3 hangs after about a thousand inserts",
    "OPA or Cedar as a server": "a network round trip more than the same engine in the process",
}
