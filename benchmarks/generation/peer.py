"""synth-pdb, run by its own Python: nothing of ours is imported here."""

from collections.abc import Callable
from functools import cache
from importlib import metadata


def version() -> str:
    return metadata.version("synth-pdb")


@cache
def prepared(call: str, num: int, length: int, drift: float) -> Callable[[], object]:
    """``generate_batch`` for polyalanine, or a method of the batch that it makes."""
    from synth_pdb.batch_generator import BatchedGenerator

    generator = BatchedGenerator("A" * length, n_batch=num)
    if call == "generate_batch":
        return lambda: generator.generate_batch(seed=1, drift=drift)
    return getattr(generator.generate_batch(seed=1, drift=drift), call)
