"""From replays and games to better weights, and the proof of it; the command line."""
