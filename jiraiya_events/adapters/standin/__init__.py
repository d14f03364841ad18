"""A stand-in for a model: OpenAI's HTTP protocol, stories from a box of phrases, no key."""
