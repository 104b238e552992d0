"""What goes wrong between a folder of the Hugging Face hub and a model of ours."""


class HubError(ValueError):
    """A folder that cannot be read, or a variant that cannot be written; says what, and the nearest fix."""
