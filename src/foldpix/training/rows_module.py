"""Training of row tokens."""

import torch

from foldpix.dataset.crops import CoordinateBatch, image_batch
from foldpix.image import encode
from foldpix.model.rows import RowOutput, RowTokenizer
from foldpix.training.module import TokenizerModule
from foldpix.training.validated import NUM_SHOWN, Shown, Validated


class RowsModule(TokenizerModule):
    """Trains a :class:`RowTokenizer` on backbones."""

    model: RowTokenizer

    def forward(self, batch: CoordinateBatch) -> RowOutput:
        return self.model(batch.coords, batch.mask)

    def judged(self, output: RowOutput, batch: CoordinateBatch) -> Validated:
        self.check_finite(output.coords)
        few = image_batch(batch.first(NUM_SHOWN))
        decoded = encode(output.coords[:NUM_SHOWN].float())
        pairs = torch.stack([output.coords.float(), batch.coords.float()], dim=1)
        return Validated(
            chains=[pair[:, :length] for pair, length in zip(pairs, batch.lengths, strict=True)],
            shown=Shown(few.image, decoded, few.lengths.tolist()),
        )
