"""The gql client of PyPI on the stage: files by its FileVar, and a subscription by its WebSocket transport."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from checks import check, finish, given
from gql import Client, FileVar, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.websockets import WebsocketsTransport

ONE = "mutation ($file: Upload!) { upload(file: $file) { filename sizeBytes sha256 } }"
SEVERAL = "mutation ($files: [Upload!]!) { uploadAll(files: $files) { filename sizeBytes sha256 } }"
TIMEOUT_S = 20

stage = given("stage", "DUALCASTER_STAGE_URL") or finish()
endpoint = f"{stage.rstrip('/')}/graphql"
folder = tempfile.TemporaryDirectory()


def upload(query: str, variables: dict, headers: dict | None = None) -> dict:
    # gql sends no such header by itself.
    headers = {"GraphQL-Require-Preflight": "1"} if headers is None else headers

    async def ask() -> dict:
        transport = AIOHTTPTransport(url=endpoint, headers=headers, timeout=10)
        async with Client(transport=transport) as session:
            request = GraphQLRequest(query, variable_values=variables)
            return await session.execute(request, upload_files=True)

    return asyncio.run(asyncio.wait_for(ask(), TIMEOUT_S))


def made(name: str, size: int) -> tuple[str, dict]:
    content = os.urandom(size)
    path = Path(folder.name, name)
    path.write_bytes(content)
    return str(path), {"filename": name, "sizeBytes": size, "sha256": hashlib.sha256(content).hexdigest()}


def one() -> None:
    path, received = made("cards.csv", 10_000)
    answer = upload(ONE, {"file": FileVar(path, content_type="text/csv")})
    assert answer == {"upload": received}, answer


def several() -> None:
    files = [made(f"{number}.csv", 1_000 - number) for number in range(2)]
    answer = upload(SEVERAL, {"files": [FileVar(path) for path, _ in files]})
    assert answer == {"uploadAll": [received for _, received in files]}, answer


def in_pieces() -> None:
    path, received = made("pieces.csv", 300_000)

    async def pieces() -> AsyncIterator[bytes]:
        content = Path(path).read_bytes()
        for start in range(0, len(content), 7_000):
            yield content[start : start + 7_000]

    answer = upload(ONE, {"file": FileVar(pieces(), filename="pieces.csv")})
    assert answer == {"upload": received}, answer


def without_preflight() -> None:
    path, _ = made("cards.csv", 100)
    try:
        answer = upload(ONE, {"file": FileVar(path)}, headers={})
    except TransportQueryError as refused:
        code = refused.errors[0].get("extensions", {}).get("errorCode", "")
        assert code.startswith("ERR-") and refused.data is None, refused.errors
    except TransportServerError as refused:
        assert refused.code is not None and 400 <= refused.code < 500, refused
    else:
        raise AssertionError(f"it was not refused: {answer}")


def over_socket(work: Callable, token: str | None = None) -> object:
    async def ask() -> object:
        transport = WebsocketsTransport(
            url=endpoint.replace("http", "ws", 1),
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            init_payload={"authorization": f"Bearer {token}"} if token else {},
            connect_timeout=10,
            ack_timeout=10,
        )
        async with Client(transport=transport) as session:
            return await work(session)

    return asyncio.run(asyncio.wait_for(ask(), TIMEOUT_S))


def counted() -> None:
    async def work(session) -> list:
        request = GraphQLRequest("subscription { count(to: 5) }")
        return [result["count"] async for result in session.subscribe(request)]

    numbers = over_socket(work)
    assert numbers == [1, 2, 3, 4, 5], numbers


def left() -> None:
    async def work(session) -> dict:
        stream = session.subscribe(GraphQLRequest("subscription { forever }"))
        await anext(stream)
        await stream.aclose()
        return await session.execute(GraphQLRequest("{ hello }"))

    answer = over_socket(work)
    assert isinstance(answer["hello"], str), answer


def who() -> None:
    async def work(session) -> dict:
        return await session.execute(GraphQLRequest("{ whoAmI }"))

    assert over_socket(work, "chandra") == {"whoAmI": "chandra"}
    assert over_socket(work) == {"whoAmI": None}


check("one file", one)
check("a list of two files, in their order", several)
check("a file that is sent in pieces", in_pieces)
check("without a header that forces a preflight it is refused", without_preflight)
check("a subscription arrives in order, and completes", counted)
check("one without an end can be left, and the socket answers on", left)
check("a socket's greeting says who asks", who)
finish()
