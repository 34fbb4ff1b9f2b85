"""URLs in, JSON out. table.py has every URL, application.py builds the ASGI application from it."""
