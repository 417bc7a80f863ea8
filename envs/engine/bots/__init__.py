"""The built-in opponents: how they count, plan, build and fight."""
