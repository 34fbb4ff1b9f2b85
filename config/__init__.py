"""What stands behind settings.py: where a setting's text comes from, and what it may be."""
