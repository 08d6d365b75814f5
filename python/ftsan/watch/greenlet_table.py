"""greenlet: a greenlet belongs to the thread it was made in."""

DISTRIBUTION = "greenlet"
VERSIONS = ("3.3.", "3.4.", "3.5.")
REALM = "any"

METHODS = (("FT304", "thread", "greenlet:greenlet", "switch throw gr_frame gr_context"),)

BIRTHS = (("thread-born", "greenlet:greenlet"),)
