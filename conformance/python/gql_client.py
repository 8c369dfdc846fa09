"""The gql client of PyPI, over HTTP and over WebSocket."""

import asyncio
from collections.abc import Callable

from checks import check, endpoint, finish
from gql import Client, GraphQLRequest
from gql.transport import AsyncTransport
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

CARDS = "query ($first: Int) { cards(first: $first) { nodes { id name price { price } } } }"
TIMEOUT_S = 20


def over_http() -> AsyncTransport:
    return AIOHTTPTransport(url=endpoint, timeout=10)


def over_websocket() -> AsyncTransport:
    return WebsocketsTransport(
        url=endpoint.replace("http", "ws", 1),
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        connect_timeout=10,
        ack_timeout=10,
    )


def run(transport: AsyncTransport, query: str, variables: dict | None = None, with_schema: bool = False) -> dict:
    async def ask() -> dict:
        async with Client(transport=transport, fetch_schema_from_transport=with_schema) as session:
            return await session.execute(GraphQLRequest(query, variable_values=variables))

    return asyncio.run(asyncio.wait_for(ask(), TIMEOUT_S))


for name, make in {"HTTP": over_http, "WebSocket": over_websocket}.items():

    def query(make: Callable[[], AsyncTransport] = make) -> None:
        nodes = run(make(), CARDS, {"first": 2})["cards"]["nodes"]
        assert len(nodes) == 2, f"{len(nodes)} cards"

    def error(make: Callable[[], AsyncTransport] = make) -> None:
        try:
            run(make(), "{ noSuchField }")
        except TransportQueryError as refused:
            code = refused.errors[0].get("extensions", {}).get("errorCode", "")
            assert code.startswith("ERR-"), refused.errors
        else:
            raise AssertionError("it was not refused")

    check(f"a query over {name}", query)
    check(f"a query that does not validate over {name}", error)


def schema() -> None:
    run(over_http(), "{ marketplaces { slug } }", with_schema=True)


check("the client validates against the schema it fetched", schema)
finish()
