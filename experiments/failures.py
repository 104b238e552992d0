"""What ended a piece of work, told by its exception. Those of torch are known by what they say."""

_WANT_OF_MEMORY = ("out of memory", "can't allocate memory", "Storage size calculation overflowed")
"""As torch says on CUDA, on a CPU, and where no machine has as much."""


def is_want_of_memory(error: Exception) -> bool:
    """Whether something did not fit into memory."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _WANT_OF_MEMORY)


def first_line(error: Exception) -> str:
    """The name of the exception, and the first line of what it says."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
