"""Remember answers and failures; this room knows no word of trading."""
