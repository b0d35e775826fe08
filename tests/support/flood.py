"""Clients of a live page as a program: some never ask, some ask one letter at a time, and some read the page.

    python flood.py PORT TOKEN SILENT SLOW HONEST

A client whose connection is ended comes back at once. When the page is gone, the program prints, as JSON, how often
it was read, the longest wait in seconds, and what else the readers got.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from contextlib import suppress

HOST = "127.0.0.1"
PAUSE = 0.5


def occupy(port: int, *, letters: bool) -> None:
    while True:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=20) as connection:
            connection.settimeout(PAUSE)
            while True:
                if letters:
                    connection.sendall(b"G")
                with suppress(TimeoutError):
                    if not connection.recv(100):
                        break


def read(port: int, token: str, waits: list[float], others: list[str]) -> None:
    while True:
        begin = time.monotonic()
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=60)
            connection.request("GET", f"/{token}/")
            answer = connection.getresponse()
            if answer.status == 200 and b"</html>" in answer.read():
                waits.append(time.monotonic() - begin)
            else:
                others.append(str(answer.status))
            connection.close()
        except ConnectionRefusedError:
            return
        except (OSError, http.client.HTTPException) as error:
            others.append(repr(error))
        time.sleep(PAUSE)


def main(port: int, token: str, silent: int, slow: int, honest: int) -> None:
    threading.stack_size(2**18)
    waits: list[float] = []
    others: list[str] = []
    for i in range(silent + slow):
        threading.Thread(target=occupy, args=(port,), kwargs={"letters": i >= silent}, daemon=True).start()
    readers = [threading.Thread(target=read, args=(port, token, waits, others)) for _ in range(honest)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    sys.stdout.write(json.dumps({"read": len(waits), "longest": max(waits, default=None), "others": others}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]))
