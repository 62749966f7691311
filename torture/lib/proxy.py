"""A TCP proxy between a service and its database, which can break at any message or drop everything."""

import asyncio


class Proxy:
    """Runs on the event loop of the part. It counts messages (what one side sends at once) over all connections."""

    def __init__(self, host, port):
        self.target = host, port
        self.pairs, self.tasks = set(), set()
        self.swallowing = asyncio.Event()
        self.disarm()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.break_off()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def disarm(self):
        """Returns whether the fault happened."""
        hit = getattr(self, "hit", False)
        self.nth, self.seen, self.hit = None, 0, False
        return hit

    def arm(self, nth, direction):
        """The `nth` message to ("request") or from ("response") the database is lost, and its connection is
        closed."""
        self.disarm()
        self.nth, self.direction = nth, direction

    def break_off(self):
        for writer in list(self.pairs):
            writer.transport.abort()

    async def accept(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        try:
            to_reader, to_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self.pairs |= {writer, to_writer}
        pumps = self.pump(reader, to_writer, "request"), self.pump(to_reader, writer, "response")
        try:
            await asyncio.gather(*pumps)
        except asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            for each in writer, to_writer:
                each.transport.abort()
                self.pairs.discard(each)

    async def pump(self, reader, writer, direction):
        try:
            while data := await reader.read(1 << 16):
                if self.swallowing.is_set():
                    continue
                if self.nth is not None and direction == self.direction:
                    self.seen += 1
                    if self.seen == self.nth:
                        self.hit = True
                        break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        for each in list(self.pairs):
            if each is writer:
                each.transport.abort()
