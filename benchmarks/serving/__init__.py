"""The rivals, each in a process of its own, asked the same questions in turn."""
