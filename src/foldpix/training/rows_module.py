"""Training of row tokens."""

import torch
from torch import Tensor

from foldpix.dataset.crops import CoordinateBatch, image_batch
from foldpix.geometry import rmsd
from foldpix.image import encode
from foldpix.model.rows import RowOutput, RowTokenizer
from foldpix.training.module import NUM_SHOWN, Shown, TokenizerModule


class RowsModule(TokenizerModule):
    """Trains a :class:`RowTokenizer` on backbones."""

    model: RowTokenizer

    def forward(self, batch: CoordinateBatch) -> RowOutput:
        return self.model(batch.coords, batch.mask)

    def judged(self, output: RowOutput, batch: CoordinateBatch) -> tuple[Tensor, Shown]:
        self.check_finite(output.coords)
        few = image_batch(batch.first(NUM_SHOWN))
        decoded = encode(output.coords[:NUM_SHOWN].float())
        return coords_rmsd(output.coords, batch), Shown(
            images=few.image, decoded=decoded, lengths=few.lengths.tolist()
        )


def coords_rmsd(coords: Tensor, batch: CoordinateBatch) -> Tensor:
    """RMSD in angstrom of N, CA, C of each backbone of a batch, shape (B,)."""
    chains = zip(coords.double(), batch.coords.double(), batch.lengths.tolist(), strict=True)
    return torch.stack([rmsd(found[:n].flatten(0, 1), truth[:n].flatten(0, 1)) for found, truth, n in chains])
