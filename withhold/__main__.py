"""`python -m withhold` is the command `withhold`."""

from withhold.cli import main

if __name__ == "__main__":
    main()
