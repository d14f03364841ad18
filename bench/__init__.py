"""Speed and memory as ratios against named yardsticks; see README.md for what each cell means."""
