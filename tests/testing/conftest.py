"""The case files here are material for tests, and some fail on purpose."""

collect_ignore_glob = ["*.cases.yaml"]
