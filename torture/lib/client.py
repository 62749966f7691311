"""A small HTTP/1.1 client on asyncio: one connection, one request at a time; a missing response is an error."""

import asyncio
import base64
import json
import time


class Unanswered(Exception):
    """No response: the connection was refused or broke, or `seconds` passed. The request may be done or not."""


class Response:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Client:
    def __init__(self, port, token=None, authorization=None, host="127.0.0.1", seconds=30):
        self.host, self.port, self.seconds = host, port, seconds
        self.authorization = authorization or (token and f"Bearer {token}")
        self.writer = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()

    def close(self):
        if self.writer:
            self.writer.transport.abort()
            self.writer = None

    async def request(self, method, path, body=None, headers=None, seconds=None):
        """One response; raises `Unanswered`."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(seconds or self.seconds):
                status, fields, content = await self.exchange(method, path, body, headers or {})
        except TimeoutError:
            self.close()
            raise Unanswered(f"no answer in {time.monotonic() - begun:.1f} s") from None
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
            self.close()
            raise Unanswered(f"{type(error).__name__}: {error}") from None
        except asyncio.CancelledError:
            self.close()
            raise
        return Response(status, fields, content, time.monotonic() - begun)

    async def exchange(self, method, path, body, headers):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        fields = {"Host": f"{self.host}:{self.port}"}
        if self.authorization:
            fields["Authorization"] = self.authorization
        if isinstance(body, (dict, list)):
            fields["Content-Type"] = "application/json"
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None or method in ("POST", "PATCH"):
            fields["Content-Length"] = str(len(body or b""))
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (fields | headers).items()), "", ""]
        self.writer.write("\r\n".join(lines).encode() + (body or b""))
        await self.writer.drain()
        return await self.receive(method)

    async def receive(self, method):
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split()[1])
            fields = {}
            for line in filter(None, head[1:]):
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            if status >= 200:
                break
        if method == "HEAD" or status in (204, 304):
            content = b""
        elif fields.get("transfer-encoding") == "chunked":
            content = await self.chunks()
        else:
            content = await self.reader.readexactly(int(fields.get("content-length", 0)))
        if fields.get("connection") == "close":
            self.close()
        return status, fields, content

    async def chunks(self):
        parts = []
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")
        return b"".join(parts)

    async def get(self, path, **more):
        return await self.request("GET", path, **more)

    async def post(self, path, body=None, key=None, **more):
        headers = {"Idempotency-Key": key} if key else {}
        return await self.request("POST", path, body, headers | more.pop("headers", {}), **more)

    async def import_csv(self, rows, key=None, query="onDuplicate=add", **more):
        return await self.post(f"/movie?{query}", rows, key, headers={"Content-Type": "text/csv"}, **more)

    async def pages(self, path):
        """All items of a paged list."""
        items = []
        while path:
            answer = await self.get(path)
            if answer.status != 200:
                raise Unanswered(f"GET {path}: {answer}")
            items += answer.json()
            link = answer.headers.get("link", "")
            path = link[link.index("<") + 1 : link.index(">")] if 'rel="next"' in link else None
        return items


async def await_back(port, token, seconds, in_a_row=32):
    """Seconds until so many consecutive reads get status 200; `None` if that takes longer than `seconds`."""
    begun, good, since = time.monotonic(), 0, None
    async with Client(port, token, seconds=5) as client:
        while good < in_a_row:
            try:
                answered = (await client.get("/movie?limit=1&total=true")).status == 200
            except Unanswered:
                answered = False
            good, since = (good + 1, since or time.monotonic()) if answered else (0, None)
            if not answered:
                if time.monotonic() - begun > seconds:
                    return None
                await asyncio.sleep(0.1)
    return since - begun
