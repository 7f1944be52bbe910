"""How close the backbones come back: figures, tables and pictures."""
