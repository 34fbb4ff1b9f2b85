"""Lines to change in the proxy that was met, by the name of what is wrong."""

from collections.abc import Mapping
from typing import Final

STREAM_PATHS: Final = "^/api/python/sse/(?:trading|trades|portfolio|status)/?$"
STREAMS: Final = f'<LocationMatch "{STREAM_PATHS}">'

APACHE: Final = {
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
ServerLimit 8
ThreadLimit 400
ThreadsPerChild 400
MaxRequestWorkers 3200
# and on the streams' ProxyPass or BalancerMember, so that REST keeps its share: max=240 acquire=1""",
    "scheme": 'RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"',
    "host": "ProxyPreserveHost On",
    "any host": """# the first virtual host answers for unknown names
<VirtualHost *:80>
    ServerName unknown.invalid
    <Location "/">
        Require all denied
    </Location>
</VirtualHost>
# and in the service's environment: ALLOWED_HOSTS=app.example.com""",
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
NGINX: Final = {
    "compression": f"location ~ {STREAM_PATHS} {{ gzip off; }}",
    "buffering": """# in the location of the streams
proxy_buffering off;
proxy_http_version 1.1;
proxy_set_header Connection "";""",
    "idle cut": "proxy_read_timeout 45s;  # a ping comes every 15 s",
    "http version": "# nginx serves streams over HTTP/2: nothing to change",
    "stream refused": """# EventSource gives up for ever on anything but 200
error_page 502 503 504 =200 @stream_standby;
location @stream_standby {
    default_type text/event-stream;
    return 200 "retry: 5000\\nevent: bye\\ndata: {\\"reason\\":\\"away\\"}\\n\\n";
}""",
    "threads": "worker_connections 8192;  # in events {}; each stream takes two; raise worker_rlimit_nofile as well",
    "scheme": "proxy_set_header X-Forwarded-Proto $scheme;",
    "host": "proxy_set_header Host $host;",
    "any host": """server { listen 80 default_server; server_name _; return 421; }
# and in the service's environment: ALLOWED_HOSTS=app.example.com""",
    "forged address": "proxy_set_header X-Forwarded-For $remote_addr;",
    "not modified": "# gzip makes a strong ETag weak, which is right; remove etag off or add_header ETag lines",
    "json compression": "gzip on; gzip_types application/json application/problem+json;",
    "exposed": "location ~ ^/api/python/(?:metrics|sse/clients)(?:/|$) { allow 127.0.0.1; deny all; }",
    "security headers": "# remove proxy_hide_header lines for X-Content-Type-Options, X-Frame-Options, Referrer-Policy",
    "hsts": 'add_header Strict-Transport-Security "max-age=31536000" always;',
    "prefix": "location /api/python { proxy_pass http://127.0.0.1:8000; }  # without a path after the port",
    "away": "# on its host: systemctl status prediction-investor; and the address in nginx's proxy_pass",
}
CADDY: Final = {
    "compression": "@rest not path /api/python/sse/*\nencode @rest gzip",
    "buffering": "reverse_proxy /api/python/* 127.0.0.1:8000 {\n    flush_interval -1\n}",
    "idle cut": "transport http {\n    read_timeout 45s\n}  # in reverse_proxy; a ping comes every 15 s",
    "stream refused": """# EventSource gives up for ever on anything but 200
handle_errors {
    @streams path /api/python/sse/*
    header @streams Content-Type text/event-stream
    respond @streams `event: bye
data: {"reason": "away"}
retry: 5000

` 200
}""",
    "scheme": "# Caddy sets X-Forwarded-Proto by itself: remove header_up lines and trusted_proxies",
    "host": "header_up Host {host}  # in reverse_proxy",
    "any host": """:80, :443 {
    respond 421
}
# and in the service's environment: ALLOWED_HOSTS=app.example.com""",
    "forged address": "# remove trusted_proxies: Caddy then replaces X-Forwarded-For",
    "json compression": "encode gzip",
    "exposed": """@operators path /api/python/metrics* /api/python/sse/clients*
respond @operators 403""",
    "hsts": 'header Strict-Transport-Security "max-age=31536000"',
    "prefix": "handle /api/python* {  # not handle_path, which removes the prefix\n    reverse_proxy 127.0.0.1:8000\n}",
    "away": "# on its host: systemctl status prediction-investor; and the address in Caddy's reverse_proxy",
}
HAPROXY: Final = {
    "compression": "# remove text/event-stream from compression type",
    "buffering": "no option http-buffer-request",
    "idle cut": "timeout server 45s\ntimeout client 45s  # a ping comes every 15 s",
    "stream refused": """# EventSource gives up for ever on anything but 200
errorfile 503 /etc/haproxy/errors/stream.http  # an answer 200, text/event-stream, one event bye with retry: 5000""",
    "threads": "maxconn 8192  # in global and in the frontend; each stream takes one",
    "scheme": """http-request set-header X-Forwarded-Proto https if { ssl_fc }
http-request set-header X-Forwarded-Proto http unless { ssl_fc }""",
    "host": "# remove http-request set-header Host lines",
    "any host": """http-request deny deny_status 421 unless { hdr(host) -i app.example.com }
# and in the service's environment: ALLOWED_HOSTS=app.example.com""",
    "forged address": "http-request del-header Forwarded\nhttp-request set-header X-Forwarded-For %[src]",
    "json compression": "filter compression\ncompression algo gzip\ncompression type application/json",
    "exposed": "http-request deny if { path_reg ^/api/python/(metrics|sse/clients)(/|$) } !{ src 127.0.0.1 }",
    "hsts": "http-response set-header Strict-Transport-Security max-age=31536000",
    "prefix": "# remove http-request set-path and replace-path lines for /api/python",
    "away": "# on its host: systemctl status prediction-investor; and the address of the server line in haproxy.cfg",
}
PROXIES: Final[Mapping[str, Mapping[str, str]]] = {
    "apache": APACHE, "nginx": NGINX, "openresty": NGINX, "caddy": CADDY, "haproxy": HAPROXY,
}  # fmt: skip


def proxy_named(server: str) -> str:
    """Return the name of the proxy in a Server or Via header; empty for one that is not known."""
    return next((name for name in PROXIES if name in server.lower()), "")


def cure(name: str, proxy: str) -> str:
    """Return the lines for the proxy that was met, else Apache's, marked as such; empty if there are none."""
    own = PROXIES.get(proxy, {})
    if name in own:
        return own[name]
    lines = APACHE.get(name, "")
    if not lines or proxy == "apache" or lines.startswith("#"):
        return lines
    return f"# the same for {proxy or 'your proxy'}; in Apache it is:\n{lines}"
