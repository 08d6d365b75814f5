"""A TLS connection written to from a thread that does not run its loop."""

import asyncio
import ssl
import subprocess
import tempfile
import threading


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
        subprocess.run([*request, "-keyout", f"{folder}/key", "-out", f"{folder}/certificate"], check=True, capture_output=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(f"{folder}/certificate", f"{folder}/key")
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting)  # created
    transport = writer.transport

    def worker() -> None:
        transport.write(b"x")  # offending: write
        transport.pause_reading()  # offending: pause_reading
        transport.close()  # offending: close

    thread = threading.Thread(target=worker)
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    server.close()


asyncio.run(main())
