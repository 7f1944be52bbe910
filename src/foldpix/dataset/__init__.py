"""Bins, splits, conversion of folders, WebDataset shards and the data module."""
