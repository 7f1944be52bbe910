"""The hierarchical VQ-VAE: plain `nn.Module`s, no Lightning."""
