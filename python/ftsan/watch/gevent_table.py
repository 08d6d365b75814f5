"""gevent: each thread has a hub of its own."""

DISTRIBUTION = "gevent"
VERSIONS = ()
REALM = "any"
