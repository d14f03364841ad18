"""The model behind langchain-openai, and what its tokens cost."""
