"""The pictures of a structure file, as a worker makes them; without torch, so that workers start quickly."""

from dataclasses import replace

from foldpix.dataset.sources import Source, key_of
from foldpix.evaluation.chains import Skipped, StructureChain
from foldpix.evaluation.listing import structure_chains
from foldpix.image import Picture, picture_of

#: With one residue there is no pair, and no picture.
SHORTEST = 2


def structure_pictures(source: Source, d_max: float) -> list[Picture | Skipped]:
    """Every chain of the first model, named by its id, and what could not be read or drawn."""
    if source.refusal:
        return [Skipped(key_of(source.path), source.refusal)]
    chains = structure_chains([source.path], d_max, SHORTEST)
    return [chain if isinstance(chain, Skipped) else _picture(chain) for chain in chains]


def _picture(chain: StructureChain) -> Picture | Skipped:
    try:
        return replace(picture_of(chain.backbone, chain.d_max), name=chain.id)
    except ValueError as error:
        return Skipped(chain.id, str(error))
