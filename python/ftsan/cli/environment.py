"""``ftsan env``: what switches ftsan on in a host that ``ftsan run`` does not start: a shell, Apache, systemd, a container."""

import os
import shlex
from collections.abc import Callable

from .. import _native
from ..library import HOOKS
from . import show


def variables(reports: str) -> dict[str, str]:
    """The variables of the environment, by name.

    :param reports: the folder of the reports, one for each process; none if it is empty.
    """
    options = {"report_json": os.path.join(os.path.abspath(reports), "ftsan-%p.json")} if reports else {}
    ours = {"FTSAN": "1", "LD_PRELOAD": HOOKS}
    return ours | ({"FTSAN_OPTIONS": _native.encode_options(options)} if options else {})


def _shell(all_: dict[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in all_.items())


def _apache(all_: dict[str, str]) -> str:
    return (
        "# For /etc/apache2/envvars, or envvars beside httpd.conf; then stop and start Apache: a reload is not enough.\n"
        f"# The user that Apache's processes run as must be able to read {os.path.dirname(HOOKS)} and to write reports.\n"
        + _shell(all_)
    )


def _systemd(all_: dict[str, str]) -> str:
    # systemd.unit(5): a percent sign begins a specifier.
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'

    lines = [f"Environment={quoted(f'{name}={value}')}" for name, value in all_.items()]
    return "# systemctl edit UNIT\n[Service]\n" + "\n".join(lines) + "\n"


def _docker(all_: dict[str, str]) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'

    return "".join(f"ENV {name}={quoted(value)}\n" for name, value in all_.items())


HOSTS: dict[str, Callable[[dict[str, str]], str]] = {"shell": _shell, "apache": _apache, "systemd": _systemd, "docker": _docker}


def env(host: str, reports: str) -> int:
    """Print the variables as the host takes them."""
    return show(HOSTS[host](variables(reports)))
