"""The policy that ships with the project: a run's folder, and in README.md what it is."""

from pathlib import Path

FOLDER = Path(__file__).parent
