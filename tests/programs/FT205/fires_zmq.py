"""A socket of pyzmq that one thread receives from while another one sends."""

import threading

import zmq
from ftsan.testing import wait_until_blocked

context = zmq.Context()
ours, theirs = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
ours.bind("inproc://pair")
theirs.connect("inproc://pair")


def receive() -> None:
    ours.recv()  # owner


thread = threading.Thread(target=receive)
thread.start()
wait_until_blocked(thread)
ours.send(b"x")  # offending: send
theirs.send(b"y")
thread.join()
theirs.recv()
ours.close()
theirs.close()
context.term()
