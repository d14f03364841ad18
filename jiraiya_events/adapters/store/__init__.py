"""Where outcomes and paid answers are kept."""
