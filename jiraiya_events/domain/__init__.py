"""What a story request, its outcome and its failure are; knows nobody else."""
