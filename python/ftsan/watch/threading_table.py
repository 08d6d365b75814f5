"""``threading``: where each thread was started."""

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

# Thread.start, whose stack reports show as the thread's origin.
METHODS = (("FT101", "born", "threading:Thread", "start"),)
