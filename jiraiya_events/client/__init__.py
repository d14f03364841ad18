"""For requesters and consumers: publish a request, read its outcome."""
