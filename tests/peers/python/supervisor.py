"""A service manager of the size of a test: what systemd does for a socket unit and a unit of Type=notify.

    supervisor.py OPTIONS -- PROGRAM ARGUMENT ...

It makes the sockets, starts PROGRAM with them (sd_listen_fds(3)), hears what it says (sd_notify(3)), and goes on holding the sockets when
it ends. Its output is one JSON object per line: {"start": PID}, {"notify": DATAGRAM}, {"exit": CODE} (negative: the signal). It reads
commands, one per line: `start`, `signal NUMBER`, `restart` (asks PROGRAM to end; the next starts when it has), `echo NUMBER` (output
{"echo": NUMBER}, behind everything that PROGRAM has notified of before). PROGRAM writes to our standard error. When standard input ends, PROGRAM is killed.
"""

import argparse
import json
import os
import select
import signal
import socket
import sys
import time

RESTART_SECONDS = 0.1  # RestartSec
FIRST = 3  # SD_LISTEN_FDS_START


def listen(kind, path):
    """A descriptor of a kind that a socket unit can have; `pipe` is one that it cannot."""
    if kind == "pipe":
        return os.pipe()[0]
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    made = socket.socket(family, socket.SOCK_DGRAM if kind == "dgram" else socket.SOCK_STREAM)
    made.bind(("127.0.0.1", 0) if kind == "tcp" else address(path))
    if kind in ("stream", "tcp"):
        made.listen()
    return made.detach()


def address(path):
    return "\0" + path[1:] if path.startswith("@") else path


def start(options, descriptors):
    child = os.fork()
    if child:
        say(start=child)
        return child
    variables = os.environ | dict(variable.split("=", 1) for variable in options.variable)
    if descriptors:
        copies = [os.dup2(descriptor, 100 + place) for place, descriptor in enumerate(descriptors)]
        for place, copy in enumerate(copies):
            os.dup2(copy, FIRST + place)
            os.close(copy)
        variables |= {"LISTEN_FDS": str(len(descriptors)), "LISTEN_PID": str(options.listen_pid or os.getpid())}
        variables["LISTEN_FDNAMES"] = ":".join(["image-cri-shim.socket"] * len(descriptors))
    if options.notify:
        variables["NOTIFY_SOCKET"] = options.notify
    if options.watchdog:
        variables |= {"WATCHDOG_USEC": str(options.watchdog * 1000), "WATCHDOG_PID": str(options.watchdog_pid or os.getpid())}
    os.execvpe(options.program[0], options.program, variables)


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", action="append", default=[], help="KIND:PATH, KIND is stream, dgram, connection, tcp or pipe")
    parser.add_argument("--listen-pid", type=int, help="says that the sockets are for another process")
    parser.add_argument("--always", action="store_true", help="Restart=always")
    parser.add_argument("--notify", help="a path, or @NAME")
    parser.add_argument("--watchdog", type=int, help="milliseconds")
    parser.add_argument("--watchdog-pid", type=int, help="says that another process is watched")
    parser.add_argument("--variable", action="append", default=[], help="NAME=VALUE, for the program")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()

    descriptors = [listen(*place.split(":", 1)) for place in options.listen]
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if options.notify:
        manager.bind(address(options.notify))
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)

    child = start(options, descriptors)
    commands = b""
    is_replaced = False
    while True:
        ready = select.select([0, woken] + ([manager] if options.notify else []), [], [])[0]
        if manager in ready:
            say(notify=manager.recv(65536).decode())
            continue  # what it said before it ended comes first
        if woken in ready:
            os.read(woken, 4096)
            ended, status = os.waitpid(-1, os.WNOHANG) if child else (0, 0)
            if ended:
                child = 0
                say(exit=os.waitstatus_to_exitcode(status))
            if ended and (is_replaced or options.always):
                time.sleep(0 if is_replaced else RESTART_SECONDS)
                is_replaced = False
                child = start(options, descriptors)
        if 0 in ready:
            read = os.read(0, 4096)
            if not read:
                break
            *lines, commands = (commands + read).split(b"\n")
            for line in lines:
                word, *arguments = line.decode().split()
                if word == "echo":
                    say(echo=int(arguments[0]))
                elif word == "start":
                    child = start(options, descriptors)
                elif child:
                    is_replaced = word == "restart"
                    os.kill(child, signal.SIGTERM if is_replaced else int(arguments[0]))
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    sys.exit(main())
