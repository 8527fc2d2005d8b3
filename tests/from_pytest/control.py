"""Lines on the control socket of a virtual EVKIT."""

import socket


def say(path, line):
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(path))
        control.sendall(line.encode() + b"\n")
        answer = control.makefile().readline().strip()
        if not answer.startswith("ok"):
            raise RuntimeError(f"{line}: {answer}")
        return answer
