"""The neighbours that commands are run beside."""

from tests.support.neighbours import maria_server, mariadb

__all__ = ["maria_server", "mariadb"]
