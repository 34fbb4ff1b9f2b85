"""What people run beside serving."""
