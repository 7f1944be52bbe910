"""Superposition of molecules, surfaces, pharmacophores and proteins by Gaussian overlap."""
