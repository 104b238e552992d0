"""What goes wrong with data that a person named."""


class DataError(ValueError):
    """A corpus or a tokenizer cannot be used; the message says what was found and how to mend it."""
