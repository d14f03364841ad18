"""The outside examiner: real processes, a client that is not ours, the contract's names only."""
