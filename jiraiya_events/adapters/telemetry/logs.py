_QUIET: Final = (
    "aiohttp", "aiokafka", "asyncio", "faststream", "httpcore", "httpcore2", "httpx", "httpx2", "langchain",
    "langchain_core", "langchain_openai", "openai", "opentelemetry", "urllib3", "uvicorn",
)  # fmt: skip
