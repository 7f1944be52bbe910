"""Hydra jobs: each a `run(config) -> metrics`. The only room that knows Hydra."""
