"""The ASGI app: routes and what surrounds them."""

from __future__ import annotations

import re
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route, Router

from interplay import __version__
from interplay.contracts.agent import Agent
from interplay.contracts.model import Model
from interplay.contracts.tool import Tool
from interplay.interactions.failures import Rejected
from interplay.interactions.routes import answer
from interplay.server.assembly import Assembly
from interplay.server.errors import Errors
from interplay.server.health import Health
from interplay.server.models import Models
from interplay.settings import Settings


class _Version(Convertor[str]):
    regex = "v1beta1|v1beta|v1alpha|v1"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("version", _Version())

_CLOUD = re.compile(r"^/(v1beta1|v1)/projects/[^/]+/locations/[^/]+/(.+)$")

_CREATE = frozenset(f"/{version}/interactions" for version in _Version.regex.split("|"))


class _Endpoint:
    """A handler as an ASGI app: no request object, no response object."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._handler(scope, receive, send)


class App:
    """The server's ASGI app. `assembly` gives access to its parts."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        routes = _routes(assembly)
        router = Router(routes, redirect_slashes=False, default=_unknown)
        self._plain = Errors(router, assembly.metrics.request)
        create = router if assembly.settings.role == "worker" else assembly.interactions.create
        self._create = Errors(create, assembly.metrics.request)
        self._browser = CORSMiddleware(  # outermost: a browser must be able to read faults too
            self._plain,
            allow_origins=assembly.settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["*"],
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI: http and lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
        path: str = scope["path"]
        if path not in _CREATE and ("//" in path or "/projects/" in path or path[-1:] == "/"):
            path = re.sub("/{2,}", "/", path)
            cloud = _CLOUD.match(path)
            path = f"/{cloud[1]}/{cloud[2]}" if cloud else path
            path = path.rstrip("/") or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        scope["app"] = self  # makes the router raise for a wrong method, in place of plain text
        if b"origin" in dict(scope["headers"]):
            await self._browser(scope, receive, send)
        elif path in _CREATE and scope["method"] == "POST":
            # The one path whose cost everyone pays: it is known without matching every route.
            await self._create(scope, receive, send)
        else:
            await self._plain(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await self.assembly.open()
        except Exception as error:  # the protocol's way to say that the start failed
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.assembly.close()
        await send({"type": "lifespan.shutdown.complete"})


def create_app(
    settings: Settings,
    *,
    models: dict[str, Model] | None = None,
    agents: dict[str, Agent] | None = None,
    tools: dict[str, Tool] | None = None,
) -> App:
    """The app for these settings; `models`, when given, stand in place of those in settings."""
    return App(Assembly(settings, models=models, agents=agents, tools=tools))


def _routes(assembly: Assembly) -> list[Route]:
    interactions = assembly.interactions
    models = Models(assembly.roster, assembly.keys.owner_of)
    health = Health(assembly)

    def route(path: str, handler: Any, *methods: str) -> Route:
        return Route(path, _Endpoint(handler), methods=list(methods))

    about = [
        route("/health", health.health, "GET"),
        route("/ready", health.ready, "GET"),
        route("/metrics", health.metrics, "GET"),
    ]
    if assembly.settings.role == "worker":
        return about
    root = "/{version:version}"
    base = f"{root}/interactions"
    files = assembly.file_routes
    search = assembly.search_routes
    tables = [
        *assembly.triggers.table(),
        *assembly.webhooks.table(),
        *files.table(),
        *search.table(),
    ]
    return [
        *about,
        route(base, interactions.create, "POST"),
        route(base, interactions.list, "GET"),
        route(base + "/{id}:cancel", interactions.cancel, "POST"),
        route(base + "/{id}", interactions.get, "GET"),
        route(base + "/{id}", interactions.delete, "DELETE"),
        route(base + "/{id}/cancel", interactions.cancel, "POST"),
        *(route(root + path, handler, method) for path, handler, method in tables),
        *(
            route(f"/upload{root}{path}", handler, method)
            for path, handler, method in (*files.upload_table(), *search.upload_table())
        ),
        route("/{version:version}/models", models.list, "GET"),
        route("/{version:version}/models/{name:path}", models.get, "GET"),
        route("/.well-known/jwks.json", assembly.webhooks.jwks, "GET"),
        route("/openapi.json", health.openapi, "GET"),
        route("/", _root, "GET"),
    ]


async def _root(scope: Any, receive: Any, send: Any) -> None:
    body = (
        f'{{"server":"interplay {__version__}","interactions":"/v1/interactions",'
        '"models":"/v1/models","openapi":"/openapi.json","health":"/health"}'
    )
    await answer(send, body.encode())


async def _unknown(scope: Any, receive: Any, send: Any) -> None:
    raise Rejected(
        "not_found",
        f"There is nothing at {scope['method']} {scope['path'][:200]}. The API is under"
        " /v1, /v1beta, /v1beta1 and /v1alpha, e.g. POST /v1/interactions; see /openapi.json.",
    )
