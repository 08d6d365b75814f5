"""``selectors``: objects that one thread at a time may use, polling included."""

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

BIRTHS = (("thread-born", "selectors:_BaseSelectorImpl"),)

# eventlet takes the classes out of its copy of the module that it cannot make green.
METHODS = (
    ("FT204", "one-at-a-time", "selectors:_BaseSelectorImpl", "register unregister modify close"),
    ("FT204", "one-at-a-time", "selectors:SelectSelector?", "register unregister select"),
    ("FT204", "one-at-a-time", "selectors:_PollLikeSelector?", "modify select"),
    # Not its `select`, which loops call all the time: the system calls of an epoll instance show who is in it.
    ("FT204", "one-at-a-time", "selectors:EpollSelector?", "close"),
)

PASSAGES = (
    # They change the map in the base class, and then tell the kernel: a thread that is woken up by that may change the map again.
    "selectors:_PollLikeSelector.register?",
    "selectors:_PollLikeSelector.unregister?",
    "selectors:KqueueSelector.register?",
    "selectors:KqueueSelector.unregister?",
    # The kernel has the map: a change while another thread waits here is waited for at once.
    "selectors:EpollSelector.select?",
    "selectors:KqueueSelector.select?",
    "selectors:DevpollSelector.select?",
)
