"""The types that mypy and pyright infer for the public API.

Both check these modules in strict mode; nothing runs them. `# type: ignore[…]` marks misuse that both must report; an
unnecessary comment is an error too.
"""
