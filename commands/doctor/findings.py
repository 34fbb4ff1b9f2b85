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
STREAMS: Final = '<LocationMatch "^/api/python/sse/(?:trading|trades|portfolio|status)/?$">'
CURES: Final = {
    "compression": f"""{STREAMS}
    SetEnv no-gzip 1
</LocationMatch>""",
    "buffering": """# on this path no FastCGI, and no filter that collects (mod_ext_filter)
ProxyPass "/api/python/sse/" "http://127.0.0.1:8000/api/python/sse/" timeout=45 flushpackets=on""",
    "idle cut": """# something comes every 15 s at the latest: the time limit must be three times that, or more
ProxyPass "/api/python/sse/" "http://127.0.0.1:8000/api/python/sse/" timeout=45""",
    "http version": """Protocols http/1.1
# mod_http2 begins each connection with six workers: six open streams block all that comes after them""",
    "stream refused": f"""# EventSource gives up for ever on anything but 200; the file stands in deploy/apache/down
{STREAMS}
    ErrorDocument 502 "/prediction-investor-down/stream.asis"
    ErrorDocument 503 "/prediction-investor-down/stream.asis"
    ErrorDocument 504 "/prediction-investor-down/stream.asis"
</LocationMatch>""",
    "threads": """# each open stream holds a thread for its life
ServerLimit 4
ThreadLimit 300
ThreadsPerChild 300
MaxRequestWorkers 1200
# and on the streams' ProxyPass or BalancerMember, so that REST keeps its share: max=240 acquire=1""",
    "scheme": 'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
    "host": "ProxyPreserveHost On",
    "address": "# the proxy's address in the service's environment: FORWARDED_ALLOW_IPS=172.30.8.2",
    "forged address": """RequestHeader unset Forwarded early
RequestHeader unset X-Forwarded-For early""",
    "not modified": "DeflateAlterETag NoChange",
    "json compression": "AddOutputFilterByType DEFLATE application/json application/problem+json",
    "exposed": """<LocationMatch "^/api/python/(?:metrics|sse/clients)(?:/|$)">
    Require ip 127.0.0.1 ::1
</LocationMatch>""",
    "security headers": """Header always set X-Content-Type-Options "nosniff"
Header always set X-Frame-Options "DENY"
Header always set Referrer-Policy "same-origin\"""",
    "hsts": 'Header always set Strict-Transport-Security "max-age=31536000"',
    "clock": "# set the clock there (timedatectl set-ntp true): the exchange refuses what is signed at a wrong time",
    "prefix": """# the service is mounted at the prefix: it must arrive with it
ProxyPass "/api/python" "http://127.0.0.1:8000/api/python\"""",
    "away": "# on its host: systemctl status prediction-investor; and the address in Apache's ProxyPass",
}


def well(name: str, words: str) -> Finding:
    """Nothing to do."""
    return Finding(name, "ok", words)


def wrong(name: str, words: str) -> Finding:
    """Something to change; the cure stands in CURES under the same name."""
    return Finding(name, "wrong", words, CURES.get(name, ""))


def note(name: str, words: str) -> Finding:
    """Worth knowing; there is nothing to change, or nothing could be judged."""
    return Finding(name, "note", words)


def hint(name: str, words: str) -> Finding:
    """Not wrong, but better with the lines that stand in CURES."""
    return Finding(name, "note", words, CURES[name])
