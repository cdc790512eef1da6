"""A process that forks a child for each command line it is told, within bounds; run as a script.

In: a JSON object a line (`arguments`, `environment`, `cwd`, `out`, `err`, `memory`, `cpu`, `file_size`, `deadline`,
`user`). Out: another (`status`: exit status, or the negative number of the signal that ended it; `peak` in bytes).

The modules are imported once, so that a child costs milliseconds; each child is a process of its own with its own
limits.
"""

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import time
import traceback

CRASHED = 70  # an exception that the command line let through
SERVICE = ("openinspector.api", "openinspector.store.migrations")  # what no command that reads a target imports


def serve() -> None:
    """Answer until there are no more requests."""
    import openinspector

    for module in pkgutil.walk_packages(openinspector.__path__, "openinspector."):
        if not module.name.endswith("__main__") and not module.name.startswith(SERVICE):
            importlib.import_module(module.name)
    "".encode("utf-8-sig")  # its module is looked for when it is needed, which nobody may do
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


def run(request: dict) -> dict:
    """Run one command line in a child."""
    child = os.fork()
    if not child:
        code = CRASHED
        try:
            code = _inside(request)
        except SystemExit as error:  # argparse
            code = error.code if isinstance(error.code, int) else CRASHED
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    ends = time.monotonic() + request["deadline"]
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            return {"status": os.waitstatus_to_exitcode(status), "peak": usage.ru_maxrss * 1024}
        if time.monotonic() > ends:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.003)


def _inside(request: dict) -> int:
    for number, name in ((1, "out"), (2, "err")):
        handle = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (request["memory"], request["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu"], request["cpu"] + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], request["file_size"]))
    if request["user"]:
        os.setgroups([])
        os.setresgid(request["user"], request["user"], request["user"])
        os.setresuid(request["user"], request["user"], request["user"])
    from openinspector.cli.main import main

    return main(request["arguments"])


if __name__ == "__main__":
    serve()
