"""One request becomes one story: prompt, model call, checks; knows only `domain`."""
