"""What a model is and what it costs, declared: pydantic and arithmetic, no torch."""
