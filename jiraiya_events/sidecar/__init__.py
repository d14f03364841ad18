"""The HTTP side of the service: health, metrics, version and the contract as a page."""
