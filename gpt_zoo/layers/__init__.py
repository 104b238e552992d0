"""What a model computes: one nn.Module for each component config, under the same stem."""
