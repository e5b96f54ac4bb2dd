"""Recipes, data, the training loop, checkpoints and training strategies."""
