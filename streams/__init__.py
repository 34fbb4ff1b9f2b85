"""What is happening now."""
