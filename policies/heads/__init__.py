"""The six parts of an action, each decided from the ones before it."""
