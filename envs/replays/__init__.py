"""Replay files to steps of observation and action, without the game."""
