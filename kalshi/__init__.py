"""Exchange client: authentication, transport, rate limits, models, portfolio, markets, fill socket."""
