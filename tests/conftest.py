"""What holds for every test: laws are judged by what they find, and neighbours are there for whoever asks for one."""

from hypothesis import settings

from tests.support.neighbours import maria_server, mariadb, redis_server

__all__ = ["maria_server", "mariadb", "redis_server"]

settings.register_profile("ours", deadline=None, print_blob=True)
settings.load_profile("ours")
