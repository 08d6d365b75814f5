"""``ssl``: connections that one thread at a time may use; the questions are anybody's."""

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

METHODS = (
    ("FT208", "one-at-a-time", "ssl:SSLObject", "read write do_handshake unwrap verify_client_post_handshake"),
    (
        "FT208",
        "one-at-a-time",
        "ssl:SSLSocket",
        "read write send sendall sendfile recv recv_into do_handshake unwrap verify_client_post_handshake",
    ),
)
