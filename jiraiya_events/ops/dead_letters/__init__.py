"""Dead letters in an operator's hands: found, shown, replayed, discarded.

Pure: `selection` (which), `staying` (which cannot be replayed), `summary` (how many of what),
`pace` (how fast), `advice` (what to do next). With effects, through `ports`: `survey` (look) and
`handling` (do). The command line drives them; whoever else may is to drive the same.
"""
