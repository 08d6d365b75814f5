"""uvloop: loop, transports, handles and servers are Cython classes without visible attributes; the rules are asyncio's.

uvloop 0.22.1 loses wake-ups of correct programs: nothing here is about a callback that comes late.
"""

DISTRIBUTION = "uvloop"
VERSIONS = ("0.22.", "0.23.")
REALM = "asyncio"
LOOPS = "uvloop.loop:Loop"

METHODS = (
    (
        "FT101",
        "loop",
        "uvloop.loop:Loop",
        "call_soon call_later call_at create_future create_task set_task_factory stop run_in_executor set_default_executor "
        "getaddrinfo getnameinfo start_tls create_connection create_server create_unix_connection create_unix_server "
        "create_datagram_endpoint connect_accepted_socket connect_read_pipe connect_write_pipe subprocess_shell subprocess_exec "
        "set_exception_handler call_exception_handler set_debug add_reader remove_reader add_writer remove_writer "
        "add_signal_handler remove_signal_handler sock_recv sock_recv_into sock_recvfrom? sock_recvfrom_into? "
        "sock_sendall sock_sendto? "
        "sock_accept sock_connect",
    ),
    ("FT109", "loop", "uvloop.loop:Loop", "run_forever run_until_complete shutdown_asyncgens shutdown_default_executor close"),
    ("FT109", "asks-closed", "uvloop.loop:Loop", "is_closed"),
    ("FT109", "hands-over", "uvloop.loop:Loop", "call_soon_threadsafe"),
    ("FT105", "field", "uvloop.loop:Server", "close start_serving serve_forever wait_closed"),
    ("FT105", "field", "uvloop.loop:UVBaseTransport", "set_protocol set_write_buffer_limits close abort"),
    ("FT105", "field", "uvloop.loop:UVStream", "pause_reading resume_reading write writelines write_eof"),
    ("FT105", "field", "uvloop.loop:ReadUnixTransport", "abort"),
    ("FT105", "field", "uvloop.loop:WriteUnixTransport", "pause_reading? resume_reading?"),
    ("FT105", "field", "uvloop.loop:UDPTransport", "sendto"),
    ("FT105", "field", "uvloop.loop:UVProcessTransport", "set_protocol send_signal terminate kill close"),
    (
        "FT105",
        "field",
        "uvloop.loop:_SSLProtocolTransport",
        "set_protocol close pause_reading resume_reading set_write_buffer_limits set_read_buffer_limits write "
        "writelines write_eof abort",
    ),
    ("FT107", "field", "uvloop.loop:Handle", "cancel"),
    ("FT107", "field", "uvloop.loop:TimerHandle", "cancel"),
)

BIRTHS = (
    ("loop-born", "uvloop.loop:Loop"),
    ("allocated", "uvloop.loop:UVBaseTransport"),
    ("allocated", "uvloop.loop:UVProcessTransport"),
    ("allocated", "uvloop.loop:_SSLProtocolTransport"),
    ("allocated", "uvloop.loop:Server"),
)
