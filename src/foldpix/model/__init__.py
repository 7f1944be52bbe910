"""The hierarchical VQ-VAE and row tokens: plain `nn.Module`s, no Lightning."""
