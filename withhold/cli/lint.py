"""`withhold lint`: can this rule set be loaded?"""

from __future__ import annotations

from withhold.cli import options
from withhold.cli.output import Format, counted, out, print_json, problem_to_dict


def lint(rules: options.Rules, form: options.Form = Format.TEXT) -> None:
    """Load a rule set and report every problem of every file. Exits with 4 if it is refused."""
    loaded = options.load_rules(rules, form, out)
    accounts = len({id_ for rule in loaded for id_ in rule.accounts})
    tweets = len({id_ for rule in loaded for id_ in rule.tweets})
    if form is Format.JSON:
        print_json(
            {
                "valid": True,
                "rules": len(loaded),
                "accounts": accounts,
                "tweets": tweets,
                "digest": loaded.digest,
                "problems": [problem_to_dict(problem) for problem in loaded.warnings],
            }
        )
    else:
        files = len({rule.place.file for rule in loaded if rule.place})
        out.print(
            f"fine: {counted(rule=len(loaded), file=files, account=accounts, tweet=tweets)}, revision {loaded.revision}"
        )
