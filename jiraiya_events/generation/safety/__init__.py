"""What a request may say to the model, and what a story may say to its readers."""
