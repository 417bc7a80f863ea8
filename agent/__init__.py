"""Someone playing: a policy or a script."""
