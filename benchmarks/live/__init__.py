"""How long rules take from their publisher to the processes of a host."""
