"""A substitute for the Spring Boot service: answers every URL with the request that it received."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def echo(request: Request) -> JSONResponse:
    """The URL, the client and the headers as they arrived."""
    client = request.client.host if request.client else None
    return JSONResponse({"url": str(request.url), "client": client, "headers": dict(request.headers)})


if __name__ == "__main__":
    uvicorn.run(Starlette(routes=[Route("/{rest:path}", echo)]), port=int(sys.argv[1]), log_level="warning")
