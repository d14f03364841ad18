async def measure(bootstrap, *, quick): return []
