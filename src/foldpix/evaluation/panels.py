"""Which chains the picture shows, and what of them."""

from collections.abc import Iterable, Sequence

from foldpix.evaluation.chains import Chain, Sample
from foldpix.evaluation.codes import ImageTokenizer
from foldpix.evaluation.drawing import Panel
from foldpix.evaluation.image_stage import Record, RoundTrip, through_pixels
from foldpix.evaluation.metrics import ca_rmsd
from foldpix.evaluation.reconstruct import through_tokenizer
from foldpix.image import from_pixels


def extreme_records(records: Sequence[Record]) -> list[tuple[str, Record]]:
    """The best, median and worst record by CA RMSD, with these labels; of the last stage there is."""
    last = max((record.stage for record in records), key=("image", "tokenizer").index)
    ranked = sorted((r for r in records if r.stage == last), key=lambda r: (r.closeness.ca_rmsd, r.id))
    labels = {len(ranked) // 2: "median", len(ranked) - 1: "worst", 0: "best"}
    return [(labels[rank], ranked[rank]) for rank in sorted(labels)]


def panels(
    chains: Iterable[Chain], records: Sequence[Record], tokenizer: ImageTokenizer | None, device: str = "cpu"
) -> list[Panel]:
    """The chains of :func:`extreme_records`, reconstructed once more."""
    by_id = {chain.id: chain for chain in chains}
    return [
        _panel(label, by_id[record.id].load(), tokenizer, device)
        for label, record in extreme_records(records)
    ]


def _panel(label: str, sample: Sample, tokenizer: ImageTokenizer | None, device: str) -> Panel:
    trip = _round_trip(sample, tokenizer, device)
    return Panel(
        label=label,
        id=sample.id,
        original=from_pixels(sample.pixels),
        decoded=trip.image,
        truth=sample.truth,
        coords=trip.coords,
        ca_rmsd=ca_rmsd(trip.coords, sample.truth),
    )


def _round_trip(sample: Sample, tokenizer: ImageTokenizer | None, device: str) -> RoundTrip:
    return through_pixels(sample) if tokenizer is None else through_tokenizer(tokenizer, [sample], device)[0]
