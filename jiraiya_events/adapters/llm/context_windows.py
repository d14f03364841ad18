"""How much a model can read and write in one call, as genai-prices lists it."""

import genai_prices.data_snapshot


def context_window(model: str, base_url: str | None) -> int | None:
    """Return the model's context window in tokens, None when it is not known.

    An endpoint that is not listed (a gateway, mostly) is taken to serve the model of that name.
    """
    listed = genai_prices.data_snapshot.get_snapshot()
    for url in dict.fromkeys((base_url, None)):
        try:
            _, found = listed.find_provider_model(model, None, None, url)
        except (LookupError, ValueError):
            continue
        return found.context_window
    return None
