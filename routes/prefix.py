"""The prefix under which everything lies; the files in deploy/ and web/ count on the same one."""

from typing import Final

PREFIX: Final = "/api/python"
