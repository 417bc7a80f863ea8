"""A real-time strategy game with StarCraft II's races and rules that speaks its API."""
