"""One thread receives from a socket and sends on it; another one hands it messages through a socket of its own."""

import threading

import zmq

context = zmq.Context()
ours, theirs, inbox, outbox = (context.socket(zmq.PAIR) for _ in range(4))
ours.bind("inproc://pair")
theirs.connect("inproc://pair")
inbox.bind("inproc://inbox")
outbox.connect("inproc://inbox")


def serve() -> None:
    poller = zmq.Poller()
    for socket in (ours, inbox):
        poller.register(socket, zmq.POLLIN)
    left = {ours, inbox}
    while left:
        for socket, _ in poller.poll():
            message = socket.recv()
            left.discard(socket)
            if socket is inbox:
                ours.send(message)


thread = threading.Thread(target=serve)
thread.start()
outbox.send(b"x")
assert theirs.recv() == b"x"
theirs.send(b"y")
thread.join()
for each in (ours, theirs, inbox, outbox):
    each.close()
context.term()
