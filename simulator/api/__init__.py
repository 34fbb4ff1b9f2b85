"""The exchange's REST and WebSocket API over a simulated exchange."""
