"""A thread whose function is `os.waitpid` itself takes the child that `subprocess` waits for."""

import os
import subprocess
import threading

process = subprocess.Popen(["true"])
thread = threading.Thread(target=os.waitpid, args=(process.pid, 0))
thread.start()
thread.join()
process.wait()  # offending: wait
