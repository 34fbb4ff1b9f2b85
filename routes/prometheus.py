"""The counters of all parts as Prometheus families; needs prometheus-client, so only the metrics URL imports it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import accumulate
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from routes.application import BOUNDS, Durations
from routes.context import Services

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def exposition(service: Services) -> tuple[bytes, str]:
    """Return the text of this worker's numbers, and its media type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(service))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class ServiceCollector(Collector):
    """Collect the counters that all parts have; only the durations are recorded for the metrics alone."""

    def __init__(self, service: Services) -> None:
        self.service = service

    def collect(self) -> Iterator[Family]:
        """Yield every family, in the order in which a trade passes the parts."""
        yield from _streams(self.service)
        yield from _ingest(self.service)
        yield from _exchange(self.service)
        yield _durations(self.service.durations)
        yield _gauge("pi_journal_head", "seq of the last entry", self.service.hub.position)
        yield _gauge("pi_uptime_seconds", "seconds since the start", self.service.uptime())


def _family(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily], name: str, text: str,
    value: float | None | Mapping[Any, float | None], *labels: str,
) -> Family:  # fmt: skip
    """Return one family. None gives no sample: a value that was never measured is not 0."""
    family = kind(name, text, labels=labels)
    for key, number in value.items() if isinstance(value, Mapping) else (((), value),):
        if number is not None:
            family.add_metric([key] if isinstance(key, str) else key, number)
    return family


_gauge, _counter = partial(_family, GaugeMetricFamily), partial(_family, CounterMetricFamily)


def _streams(service: Services) -> Iterator[Family]:
    stats, hub = service.hub.stats, service.hub
    yield _gauge("pi_sse_clients", "open streams", len(list(hub.subscribers)))
    yield _counter("pi_sse_opened", "streams opened", stats.opened)
    yield _counter("pi_sse_events", "events sent", stats.events)
    yield _counter("pi_sse_bytes", "bytes sent on streams", stats.bytes)
    yield _counter("pi_sse_resumes", "streams begun, by what became of their cursor", stats.resumes, "outcome")
    yield _counter("pi_sse_ends", "streams ended, by reason", stats.ends, "reason")
    yield _counter("pi_sse_slow_ends", "streams ended because the reader was slow", stats.ends["slow"])
    lag = max((hub.position - (reader.position or hub.position) for reader in hub.subscribers), default=0)
    yield _gauge("pi_sse_lag_entries", "entries that the reader furthest behind has not been sent", lag)
    seconds = {share: stats.latency.quantile(float(share)) for share in ("0.5", "0.99")}
    yield _gauge("pi_sse_latency_seconds", "from publish to write, by quantile", seconds, "quantile")


def _ingest(service: Services) -> Iterator[Family]:
    parts: Mapping[str, Mapping[str, Any]] = service.supervisor.health()
    poller, recorder = parts["poller"], parts["recorder"]
    polls, failed = poller.get("polls", 0), poller.get("failures", 0)
    yield _counter("pi_bot_polls", "polls of the bot", {"ok": polls - failed, "failed": failed}, "result")
    yield _gauge("pi_bot_poll_age_seconds", "seconds since the last good poll", parts["bot"]["age"])
    yield _gauge("pi_bot_online", "1 while the bot is online", float(parts["bot"].get("status") == "online"))
    yield _counter("pi_bot_skipped", "records that could not be read, by reason", poller.get("skipped", {}), "reason")
    kinds = {kind: recorder.get(f"{kind}s", 0) for kind in ("trade", "settlement", "gap", "baseline")}
    yield _counter("pi_journal_entries", "entries written here, by kind", kinds, "kind")
    yield _counter("pi_gaps", "holes that could not be healed", recorder.get("gaps", 0))
    yield _counter("pi_journal_commits", "commits of the journal", recorder.get("commits", 0))
    yield _counter("pi_journal_failures", "commits that failed", recorder.get("failures", 0))
    yield _counter("pi_heuristic_matches", "executions matched by likeness", recorder.get("heuristic", 0))
    well = {name: float(part["state"] != "degraded") for name, part in parts.items()}
    yield _gauge("pi_part_ok", "1 while a part is well", well, "part")
    result = service.audit.result
    unexplained = None if result is None else float(result.body["cash"]["unexplained"])
    yield _gauge("pi_unexplained_dollars", "cash that no named cause explains", unexplained)
    causes: Counter[str] = Counter(each.cause for each in result.differences) if result else Counter()
    yield _gauge("pi_differences", "differences between journal, exchange and bot, by cause", {**causes}, "cause")
    yield _gauge("pi_ledger_position", "seq of the last entry that the ledgers have counted", service.ledgers.position)


def _exchange(service: Services) -> Iterator[Family]:
    calls, store, counts = service.client.calls, service.cache.store, service.cache.counts
    yield _counter("pi_kalshi_requests", "calls to the exchange", calls.counters.calls, "endpoint", "code")
    yield _counter("pi_kalshi_retries", "calls that were repeated", calls.counters.retries)
    breakers = {"kalshi": calls.breaker, **({"redis": store.breaker} if store.breaker is not None else {})}
    states = {name: float(breaker.state != "closed") for name, breaker in breakers.items()}
    yield _gauge("pi_breaker_open", "1 while the circuit breaker is open", states, "name")
    named = {name: counts[name] for name in ("near", "cached", "fetched", "failed", "stale")}
    yield _counter("pi_answers", "answers by where they came from", named, "source")


def _durations(durations: Durations) -> HistogramMetricFamily:
    text = "REST answers; streams are not in it"
    family = HistogramMetricFamily("pi_http_request_duration_seconds", text, labels=["url", "status"])
    for (url, status), counts in durations.buckets.items():
        buckets = zip([*map(str, BOUNDS), "+Inf"], map(float, accumulate(counts)), strict=True)
        family.add_metric([url, str(status)], list(buckets), durations.sums[url, status])
    return family
