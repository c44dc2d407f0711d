"""What a rule set does and what it costs, told before it is served."""
