"""Protein backbones as pictures, pictures as tokens, and back."""

__version__ = "0.1.0"
