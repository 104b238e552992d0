"""The named things: variants, how they are loaded, and the spaces of variants that a search walks."""
