"""Settings of the server, from flags, environment and .env."""

from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Secret

from config import parsers as text
from config.reader import Settings, setting

VERSION = "0.2.0"
key_prefix = text.matching(r"[\x21-\x7e]{1,100}", "1 to 100 printable ASCII characters")


@dataclass(frozen=True)
class ServerSettings(Settings):
    """Settings of the server. Times are seconds. A field's variable is its name in capitals."""

    host: str = setting("127.0.0.1", str, "address to listen on")
    port: int = setting(8000, text.integer(0, 65535), "port to listen on; 0 takes a free one")
    app_env: str = setting("production", text.choice("production", "development"), "`development`: reload, plain logs")
    log_level: str = setting("INFO", text.log_level_name, "`DEBUG` shows each cache and exchange call")
    redis_host: str | None = setting(None, text.host_name, "Redis shared with Spring Boot; unset: cache in memory")
    redis_port: int = setting(6379, text.integer(1, 65535), "its port")
    redis_username: str | None = setting(None, str, "its ACL user")
    redis_password: Secret | None = setting(None, Secret, "its password")
    redis_db: int = setting(0, text.integer(0, 999), "its database number")
    redis_key_prefix: str = setting("python:", key_prefix, "prefix of every key that this service writes")
    bot_status_endpoint: str = setting("http://localhost:9000/status", text.http_url, "bot's status; `/health` on 404")
    bot_trades_endpoint: str = setting("http://localhost:9000/trades", text.http_url, "the bot's trades")
    bot_poll_interval: float = setting(3.0, text.seconds(0.05, 3600), "seconds between two polls of the bot")
    heartbeat_interval: float = setting(30.0, text.seconds(0.05, 3600), "seconds between two `heartbeat` events")
    kalshi_api_key: Secret | None = setting(None, Secret, "key id; unset: portfolio URLs answer 503, markets work")
    kalshi_rsa_key_path: Path | None = setting(None, text.readable_file, "the private key, an RSA or Ed25519 PEM file")
    kalshi_api_url: str = setting(text.PRODUCTION, text.exchange_url, "the exchange; http:// only on this machine")
    kalshi_subaccount: int = setting(0, text.integer(0, 63), "used alike for balance, positions, fills and orders")
    cache_ttl_short: float = setting(300.0, text.seconds(1, 86400), "upper bound for market data")
    cache_ttl_medium: float = setting(3600.0, text.seconds(1, 86400), "upper bound for balance and positions")
    cache_ttl_long: float = setting(86400.0, text.seconds(1, 604_800), "upper bound for fills, orders, settlements")
    marks_ttl: float = setting(15.0, text.seconds(1, 3600), "upper bound for the prices of held markets")
    journal_url: str = setting(
        "sqlite:///prediction-investor.db", text.journal, "`sqlite:///file` or `mysql://user:password@host/db`"
    )
    max_streams: int = setting(5000, text.integer(1, 100_000), "open streams at once, each worker")
    max_stream_age: float | None = setting(None, text.seconds(1, 604_800), "end a stream after this long; unset: never")
    client_queue_size: int = setting(256, text.integer(1, 100_000), "events that may wait for one slow reader")
    cors_origins: tuple[str, ...] = setting((), text.origins, "exact origins that browsers may call from; unset: none")
    allowed_hosts: tuple[str, ...] = setting(
        (), text.hosts, "names of this service, `*.name`: subdomains; unset: on loopback only loopback names, else any"
    )
    allow_public: bool = setting(False, text.yes_no, "`yes`: may listen beyond loopback without access control")
    api_token: Secret | None = setting(
        None, text.secret_token, "16 characters or more, required by all URLs but `/health/live` and `/health/ready`"
    )
    auth: str | None = setting(None, text.choice("spring-session"), "`spring-session`: require a login of Spring")
    spring_session_namespace: str = setting("spring:session", key_prefix, "Spring's `spring.session.redis.namespace`")
    spring_redis_host: str | None = setting(None, text.host_name, "Redis of Spring's sessions; unset: REDIS_HOST")
    spring_redis_port: int = setting(6379, text.integer(1, 65535), "its port; user and password as of REDIS_HOST")
    rate_limit: int = setting(0, text.integer(0, 1_000_000), "requests a minute for each client network; 0: no limit")

    def conflicts(self) -> list[str]:
        """Return a line for each setting that contradicts another one."""
        found = []
        if (self.kalshi_api_key is None) != (self.kalshi_rsa_key_path is None):
            found.append("KALSHI_API_KEY and KALSHI_RSA_KEY_PATH: expected both or neither, got one")
        if self.auth is not None and self.redis_host is None and self.spring_redis_host is None:
            found.append("AUTH: expected REDIS_HOST or SPRING_REDIS_HOST beside spring-session, got neither")
        return found

    @property
    def has_access_control(self) -> bool:
        """Return True if a client must show a token or a login."""
        return self.api_token is not None or self.auth is not None
