"""Connections of WebSocket that are opened and closed as fast as threads can: for any server of the program itself.

Each connection ends in another way: properly, by the end of the stream, by a reset, in the middle of the handshake, of a message.
"""

import base64
import contextlib
import os
import socket
import struct
import threading

#: Seconds: a machine that is busy is not a peer that is gone.
PATIENCE = 300

ENDINGS = ("close", "shutdown", "reset", "half a handshake", "half a message")


def frame(opcode: int, payload: bytes) -> bytes:
    """A frame as a client sends it: masked, fewer than 126 bytes (RFC 6455, section 5.2)."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked


def connect(address: tuple[str, int], ending: str) -> bool:
    """Open a connection, ask for an echo and end as said; whether the echo came."""
    host, port = address
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    with socket.create_connection(address, timeout=PATIENCE) as connection, connection.makefile("rb") as answers:
        if ending == "half a handshake":
            connection.sendall(request[: len(request) // 2])
            return False
        connection.sendall(request)
        while answers.readline().strip():
            pass
        question = frame(1, b"storm")
        if ending == "half a message":
            connection.sendall(question[:4])
            return False
        connection.sendall(question)
        head = answers.read(2)
        is_echo = len(head) == 2 and answers.read(head[1]).lower() == b"storm"
        if ending == "close":
            connection.sendall(frame(8, struct.pack("!H", 1000)))
            answers.read(4)
        elif ending == "shutdown":
            with contextlib.suppress(OSError):  # the server has hung up
                connection.shutdown(socket.SHUT_RDWR)
        elif ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return is_echo


def storm(address: tuple[str, int], connections: int = 200, threads: int = 8) -> int:
    """Open and close so many connections by so many threads at once; how many echoes came back."""
    echoes = [0] * threads

    def open_and_close(number: int) -> None:
        for turn in range(number, connections, threads):
            with contextlib.suppress(ConnectionError):  # the server may be faster than a reset
                echoes[number] += connect(address, ENDINGS[turn % len(ENDINGS)])

    workers = [threading.Thread(target=open_and_close, args=(number,), name=f"storm-{number}") for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(echoes)
