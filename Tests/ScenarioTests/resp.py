"""A plain RESP connection whose replies keep their type, for tests that judge replies byte for byte."""

import socket


class Simple(bytes):
    """A simple string: `+OK`."""

    def __repr__(self):
        return "+" + self.decode("latin-1")


class Error(bytes):
    """An error reply, without the dash."""

    def __repr__(self):
        return "-" + self.decode("latin-1")

    def __eq__(self, other):
        return isinstance(other, Error) and bytes(self) == bytes(other)

    __hash__ = bytes.__hash__


class Closed(Exception):
    """The peer closed the connection."""


def pack(*arguments):
    """A command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        if isinstance(argument, str):
            argument = argument.encode()
        elif not isinstance(argument, bytes):
            argument = str(argument).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
    return b"".join(parts)


class Connection:
    """One socket. `call` sends a command and gives its reply; RESP3 types become Python's own."""

    def __init__(self, port, host="127.0.0.1", timeout=15, receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def call(self, *arguments):
        self.send(pack(*arguments))
        return self.read()

    def _fill(self):
        try:
            data = self.socket.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            raise Closed() from None
        if not data:
            raise Closed()
        self.buffer += data

    def _line(self):
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line, self.buffer = self.buffer[:end], self.buffer[end + 2 :]
                return line
            self._fill()

    def _exactly(self, count):
        parts = [self.buffer]
        have = len(self.buffer)
        while have < count:
            data = self.socket.recv(max(1 << 16, count - have))
            if not data:
                raise Closed()
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self.buffer = whole[count:]
        return whole[:count]

    def read(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Simple(rest)
        if kind == b"-":
            return Error(rest)
        if kind in b":":
            return int(rest)
        if kind == b"$" or kind == b"=":
            count = int(rest)
            if count < 0:
                return None
            return self._exactly(count + 2)[:-2]
        if kind == b"*" or kind == b"~" or kind == b">":
            count = int(rest)
            return None if count < 0 else [self.read() for _ in range(count)]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind == b"(":
            return int(rest)
        raise ValueError(f"not a RESP reply: {line!r}")

    def closed_within(self, seconds):
        """Whether the peer closes within so many seconds; what it still sends is read and dropped."""
        self.socket.settimeout(seconds)
        try:
            while True:
                if not self.socket.recv(1 << 16):
                    return True
        except (ConnectionResetError, BrokenPipeError):
            return True
        except (socket.timeout, TimeoutError):
            return False
