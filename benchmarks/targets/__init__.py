"""What the design asks of the library, each with its limit, and whether it is met."""
