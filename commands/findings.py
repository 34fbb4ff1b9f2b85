"""What the doctor finds: a word on each thing it looked at, and the lines to change where something is wrong."""

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """name: a short stable name, for tests and searches. cure: lines to change; empty when all is well."""

    name: str
    level: Level
    words: str
    cure: str = ""


# The cures, by the name of what is wrong: Apache's own words, for the place where the service is proxied.
CURES: Final = {
    "compression": """<Location "/api/python/sse/">
    SetEnv no-gzip 1
</Location>""",
    "buffering": """ProxyPass /api/python/sse/ http://127.0.0.1:8000/api/python/sse/ flushpackets=on
# and no module that collects bodies (mod_buffer, mod_ext_filter, mod_substitute) on that path; no FastCGI between""",
    "idle cut": """ProxyPass /api/python/sse/ http://127.0.0.1:8000/api/python/sse/ timeout=45
# a ping comes every 15 s at the latest: the time limit must be three times that, or more""",
    "http version": """Protocols http/1.1
# mod_http2 begins each connection with six streams and blocks what comes after them, REST included""",
    "stream refused": """ErrorDocument 503 /prediction-investor-down/stream.asis
# an EventSource gives up for ever on anything but 200: the whole answer stands in deploy/apache""",
    "threads": """ThreadsPerChild 100
MaxRequestWorkers 1200
# each open stream holds one thread; and on the streams' ProxyPass: max=80 acquire=1, for REST to keep its share""",
    "scheme": 'RequestHeader set X-Forwarded-Proto "https"',
    "host": "ProxyPreserveHost On",
    "forged address": """RequestHeader unset Forwarded early
RequestHeader unset X-Forwarded-For early""",
    "not modified": "DeflateAlterETag NoChange",
    "json compression": "AddOutputFilterByType DEFLATE application/json application/problem+json",
    "exposed": """<LocationMatch "^/api/python/(metrics|sse/clients)/?$">
    Require ip 127.0.0.1 ::1
</LocationMatch>""",
    "clock": "# set the clock there: timedatectl set-ntp true; the exchange refuses signatures 30 s off",
    "prefix": "ProxyPass /api/python/ http://127.0.0.1:8000/api/python/   # the prefix stays: it is mounted there",
}


def well(name: str, words: str) -> Finding:
    """Nothing to do."""
    return Finding(name, "ok", words)


def wrong(name: str, words: str) -> Finding:
    """Something to change; the cure stands in CURES under the same name."""
    return Finding(name, "wrong", words, CURES.get(name, ""))


def note(name: str, words: str) -> Finding:
    """Worth knowing; no cure is called for, or it may be as it is meant to be."""
    return Finding(name, "note", words, CURES.get(name, ""))
