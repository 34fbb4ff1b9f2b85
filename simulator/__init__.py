"""A Kalshi that runs on your desk."""
