"""What is done with a record of `story.requested`, stage by stage.

decode and validate → admit (`admission`) → generate → outcome (`outcomes`) → `outputs`. The
engine decides when a record's turn comes; nothing here waits for a retry.
"""
