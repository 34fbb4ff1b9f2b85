"""Lifespan, app, main: the one module that knows all the others."""
