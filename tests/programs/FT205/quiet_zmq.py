"""Sockets of pyzmq under a lock, handed on by a queue, and each thread its own."""

import queue
import threading

import zmq

context = zmq.Context()
sink = context.socket(zmq.PULL)
sink.bind("inproc://sink")
shared = context.socket(zmq.PUSH)
shared.connect("inproc://sink")
handed = context.socket(zmq.PUSH)
handed.connect("inproc://sink")
lock, sockets = threading.Lock(), queue.Queue[zmq.Socket[bytes]]()
sockets.put(handed)


def send() -> None:
    own = context.socket(zmq.PUSH)
    own.connect("inproc://sink")
    for _ in range(50):
        own.send(b"x")
        with lock:
            shared.send_multipart([b"y", b"z"])
        socket = sockets.get()
        socket.send_string("w")
        sockets.put(socket)
    own.close()


threads = [threading.Thread(target=send) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(3 * 50 * 3):
    sink.recv_multipart()
for thread in threads:
    thread.join()
for socket in (sink, shared, handed):
    socket.close()
context.term()
