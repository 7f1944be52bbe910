"""The work of `align.py`: overlays block by block, and what is written."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import jax
from joblib import cpu_count
from rich.progress import Progress

from foldpix.alignment import Alignment
from foldpix.alignment.proteins import align_backbones
from foldpix.alignment.screening import screen
from foldpix.jobs.align_inputs import EntryPair
from foldpix.jobs.align_overlays import Overlay, overlay_of_molecules, overlay_pairs
from foldpix.jobs.align_pairing import Pairing
from foldpix.jobs.align_picture import draw_overlay
from foldpix.jobs.align_poses import MOLECULES, STRUCTURES, write_backbones, write_molecules
from foldpix.jobs.align_rows import SCORES, ScoreLog
from foldpix.jobs.align_summary import print_summary
from foldpix.jobs.compilation_cache import keep_compiled
from foldpix.jobs.schema.align import AlignConfig, Kind
from foldpix.jobs.terminal import progress_bar


def overlay_all(pairing: Pairing, kind: Kind, config: AlignConfig, out: Path) -> dict[str, float]:
    """Overlay, write and print; see `foldpix.jobs.align.run`."""
    _check_folder(out)
    _use_devices(config.workers)
    keep_compiled()
    begin, of_backbones = time.monotonic(), kind is Kind.proteins
    if of_backbones:
        overlay: Overlay = partial(align_backbones, points=config.points.name)
    else:
        overlay = overlay_of_molecules(config.overlap, config.method)
    with ScoreLog(out, of_backbones) as log, progress_bar() as progress:

        def overlay_block(block: list[EntryPair]) -> Alignment:
            found = overlay_pairs(block, overlay)
            log.add([(pair.ref.name, pair.fit.name) for pair in block], found)
            return found

        pairs = _tracked(pairing, progress)
        rank_by = "tm_scores" if of_backbones else "scores"
        hits = screen(pairs, overlay_block, top_k=config.top_k, by=rank_by).hits
    if not hits:
        reason = next(iter(log.statuses), "there is no pair")
        raise ValueError(f"nothing overlaid: {reason}; what became of each pair: {out / SCORES}")
    if of_backbones:
        write_backbones(out / STRUCTURES, hits)
    else:
        write_molecules(out / MOLECULES, hits)
    draw_overlay(out / "best.png", hits[0])
    return print_summary(log, hits, begin, out)


def _check_folder(out: Path) -> None:
    """Structures that no run of this job wrote are not to be deleted."""
    if not (out / SCORES).exists() and (found := next((out / STRUCTURES).glob("*.pdb"), None)):
        raise ValueError(f"{out} has structures of other origin, such as {found.name}; choose another out")


def _use_devices(num: int | None) -> None:
    num = num or cpu_count()
    if jax.config.jax_num_cpu_devices != num:  # type: ignore[attr-defined]  # not in the stubs
        jax.config.update("jax_num_cpu_devices", num)


def _tracked(pairing: Pairing, progress: Progress) -> Iterator[EntryPair]:
    yield from progress.track(pairing.pairs, total=pairing.total, description="overlaying")
