"""What the tests of this room share."""

from tests.support.neighbours import redis_server as redis_server
