"""One dataclass a job: its options, their types and defaults. Light imports only."""
