"""The targets of the library, each with its limit, and whether it is met."""
