"""The Lightning module, its schedule and its callbacks."""
