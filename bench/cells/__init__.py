"""One module per cell; each has a `measure` coroutine that returns its measurements."""
