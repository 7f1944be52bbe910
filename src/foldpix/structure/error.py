"""What is wrong with a structure file."""


class StructureError(ValueError):
    """A file that holds no usable protein; ``str(error)`` is the reason, in one line."""
