"""The tokenizer of a checkpoint, on the best device there is."""

import torch

from foldpix.dataset.tokens import TokenHeader
from foldpix.evaluation.codes import ImageTokenizer
from foldpix.model.fingerprint import weights_fingerprint


def load_tokenizer(ckpt: str) -> tuple[ImageTokenizer, TokenHeader, str]:
    """The tokenizer, what a table of its tokens says of it, and the device it is on.

    Raises
    ------
    ValueError
        If the file is no checkpoint of a foldpix model.
    OSError
        If there is no such file.
    """
    # Brings Lightning along, three seconds that a mistake in the options need not wait.
    from foldpix.training.checkpoint import load_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(ckpt)
    header = TokenHeader(weights_fingerprint(model), model.strides, model.codebook_size, model.grid_dim)
    return model.to(device), header, device
