"""What type checkers infer of the public API.

mypy and pyright check the modules here, both strict; nothing runs them. `# type: ignore[…]` marks misuse that both must
report: a comment that is not needed is an error too.
"""
