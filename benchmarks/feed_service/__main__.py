"""Start the feed service on this machine: `python -m benchmarks.feed_service` (extra `bench`).

http://127.0.0.1:8000/?as_if_in=IN     as from India; also US, US-MS, DE, unknown
curl -H "CF-IPCountry: IN" -H "X-Forwarded-For: 192.0.2.1" -H "Accept: application/json" http://127.0.0.1:8000/
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn

from benchmarks.feed_service.world import posts, rules
from withhold import Snapshot


def main() -> None:
    """Write the rules to a snapshot, and serve with two workers that follow it."""
    parser = argparse.ArgumentParser(description="Serve an example feed.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rules", type=Path, help="a snapshot to serve by; the default is an example")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = given.rules or Path(folder, "rules.wh")
        if given.rules is None:
            Snapshot.compile(rules(posts())).save(path)
        os.environ |= {"FEED_RULES": str(path), "FEED_AUTHORS": "1", "FEED_PREVIEW": "1"}
        # Without `proxy_headers=False`, uvicorn would replace the peer before the library sees it.
        uvicorn.run(
            "benchmarks.feed_service.app:app",
            factory=True,
            host="127.0.0.1",
            port=given.port,
            workers=given.workers,
            proxy_headers=False,
            access_log=False,
        )


if __name__ == "__main__":
    main()
