"""GET /metrics: the same numbers as /health and /sse/stats, in Prometheus's words and units; needs an extra."""

from starlette.requests import Request
from starlette.responses import Response

from routes.problems import Problem
from routes.services import services


async def metrics(request: Request) -> Response:
    """One worker's numbers; 501 without the extra."""
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        from routes.prometheus import ServiceCollector
    except ImportError:
        raise Problem(501, "metrics need prometheus-client: pip install 'prediction-investor[metrics]'") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(services(request)))
    return Response(generate_latest(registry), 200, {"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST})
