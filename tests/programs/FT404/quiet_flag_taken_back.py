"""A thread that polls for a flag of another thread may take it back once it is seen, as socketserver's serve_forever does.

ALSO: FT407
"""

import threading
import time


class Server:
    def __init__(self) -> None:
        self.shall_stop = False
        self.has_stopped = threading.Event()

    def serve(self) -> None:
        while not self.shall_stop:
            time.sleep(0.001)
        self.shall_stop = False
        self.has_stopped.set()

    def stop(self) -> None:
        self.shall_stop = True
        self.has_stopped.wait()


server = Server()
thread = threading.Thread(target=server.serve)
thread.start()
time.sleep(0.05)
server.stop()
thread.join()
