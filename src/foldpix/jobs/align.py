"""Overlay molecules or backbones: pairs, one on many, all on all."""

from importlib.util import find_spec
from pathlib import Path

from foldpix.dataset.lock import alone_in
from foldpix.jobs.align_inputs import Input, kind_of
from foldpix.jobs.align_pairing import pairing
from foldpix.jobs.schema.align import AlignConfig, Kind


def run(config: AlignConfig) -> dict[str, float]:
    """Overlay every pair, write ``scores.csv``, the best poses and ``best.png``, and print a summary.

    Returns
    -------
    dict
        ``pairs``, ``aligned``, ``failed``; ``best_score``, of backbones the TM-score; ``mean_score``, the
        mean overlap; ``pairs_per_second``.

    Raises
    ------
    ValueError
        If options contradict each other or the inputs, something is not installed, or no pair could be
        overlaid.
    """
    kind = _check(config)
    # JAX and RDKit are extras.
    from foldpix.jobs.align_work import overlay_all

    ref, fit = (None if path is None else Input(Path(path), kind) for path in (config.ref, config.fit))
    assert ref is not None
    pairs = pairing(ref, fit, config.mode)
    out = Path(config.out).resolve()
    with alone_in(out):
        return overlay_all(pairs, kind, config, out)


def _check(config: AlignConfig) -> Kind:
    for name in ("ref", "fit"):
        path = getattr(config, name)
        if path is not None and not Path(path).exists():
            raise ValueError(f"{name}={path} does not exist; give a file or a folder")
    for name in ("top_k", "workers"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise ValueError(f"{name}={value} must be at least 1")
    kinds = {config.kind or kind_of(Path(path)) for path in (config.ref, config.fit) if path is not None}
    if len(kinds) > 1:
        raise ValueError(f"ref={config.ref} and fit={config.fit}: one holds molecules, the other proteins")
    kind = kinds.pop()
    others = {Kind.proteins: ("overlap", "method"), Kind.molecules: ("points",)}
    for name in others[kind]:
        if (value := getattr(config, name)) is not getattr(AlignConfig, name):
            of = next(other for other in Kind if other is not kind)
            raise ValueError(f"{name}={value.name} is for {of.name}; leave it out for {kind.name}")
    for module, extra in (("jax", "jax"), ("rdkit", "molecules")):
        if (module == "jax" or kind is Kind.molecules) and find_spec(module) is None:
            raise ValueError(f"{module} is not installed; pip install '.[{extra}]'")
    return kind
