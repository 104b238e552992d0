"""How variants are adjusted to equal cost: one module a step. `registry.match` is the door."""
