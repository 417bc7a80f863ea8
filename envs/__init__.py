"""The game as the agent meets it: observations, actions, replays, and the engine."""
