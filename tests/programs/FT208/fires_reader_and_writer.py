"""A TLS connection that one thread reads and another one writes."""

import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

from ftsan.testing import wait_until, wait_until_blocked

with tempfile.TemporaryDirectory() as folder:
    key, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))

ours, theirs = socket.socketpair()
written: list[bool] = []


def serve() -> None:
    with context.wrap_socket(theirs, server_side=True) as server:
        while data := server.recv(1024):
            wait_until(lambda: written)
            server.sendall(data)


serving = threading.Thread(target=serve)
serving.start()
client = trusting.wrap_socket(ours, server_hostname="localhost")
client.sendall(b"first")


def read() -> None:
    client.recv(1024)  # owner


reading = threading.Thread(target=read)
reading.start()
wait_until_blocked(reading)
client.sendall(b"second")  # offending: sendall
written.append(True)
reading.join()
client.close()
serving.join()
