"""The engine under thousands of random schedules, in virtual time, with the seed printed."""
