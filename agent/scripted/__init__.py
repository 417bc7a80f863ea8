"""Players that follow written rules, one action at a time and by what an observation shows."""
