"""Messages of libraries that tell a user of this project nothing."""

import logging
import warnings


def silence_libraries() -> None:
    """Call it in each process that trains."""
    # Announcements of devices and of settings that the config states already.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    # Advice about worker counts, which the data config decides.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    # A run that goes on, in its own folder or in a new one, means to.
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", message="The dirpath has changed from")
    # Lightning 2.6 meets a newer PyTorch than it was written for.
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
