"""`withhold lint`: can this rule set be loaded?"""

from __future__ import annotations

from withhold.cli import options
from withhold.cli.output import Format, out, print_json, problem_to_dict


def lint(rules: options.Rules, form: options.Form = Format.TEXT) -> None:
    """Load a rule set and report every problem of every file. Exits with 4 if it is refused."""
    loaded = options.load_rules(rules, form, out)
    accounts = {id_ for rule in loaded for id_ in rule.accounts}
    tweets = {id_ for rule in loaded for id_ in rule.tweets}
    if form is Format.JSON:
        print_json(
            {
                "valid": True,
                "rules": len(loaded),
                "accounts": len(accounts),
                "tweets": len(tweets),
                "digest": loaded.digest,
                "problems": [problem_to_dict(problem) for problem in loaded.warnings],
            }
        )
    else:
        files = {rule.place.file for rule in loaded if rule.place}
        counts = [(len(loaded), "rule"), (len(files), "file"), (len(accounts), "account"), (len(tweets), "tweet")]
        of = " · ".join(f"{count:,} {what}{'' if count == 1 else 's'}" for count, what in counts)
        out.print(f"fine: {of}, revision {loaded.revision}")
