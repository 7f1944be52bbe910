"""Which chains the picture shows, and what of them."""

from collections.abc import Iterable, Sequence

from foldpix.evaluation.chains import Chain, Sample, Skipped
from foldpix.evaluation.drawing import Panel
from foldpix.evaluation.image_stage import Record, stages, through_pixels
from foldpix.evaluation.metrics import ca_rmsd
from foldpix.evaluation.reconstruct import RoundTrips
from foldpix.image import from_pixels


def extreme_records(records: Sequence[Record]) -> list[tuple[str, Record]]:
    """The best, median and worst record by CA RMSD, with these labels; of the last stage there is,
    and of its last tokenizer."""
    last = stages(records)[-1]
    ranked = sorted((r for r in records if r.stage == last), key=lambda r: (r.closeness.ca_rmsd, r.id))
    labels = {len(ranked) // 2: "median", len(ranked) - 1: "worst", 0: "best"}
    return [(labels[rank], ranked[rank]) for rank in sorted(labels)]


def panels(chains: Iterable[Chain], records: Sequence[Record], tokenizer: RoundTrips | None) -> list[Panel]:
    """The chains of :func:`extreme_records`, reconstructed once more."""
    by_id = {chain.id: chain for chain in chains}
    return [_panel(label, by_id[record.id].load(), tokenizer) for label, record in extreme_records(records)]


def _panel(label: str, sample: Sample, tokenizer: RoundTrips | None) -> Panel:
    trip = through_pixels(sample) if tokenizer is None else tokenizer([sample])[0]
    assert not isinstance(trip, Skipped)  # it has a record
    return Panel(
        label=label,
        id=sample.id,
        original=from_pixels(sample.pixels),
        decoded=trip.image,
        truth=sample.truth,
        coords=trip.coords,
        ca_rmsd=ca_rmsd(trip.coords, sample.truth),
    )
