"""An SSH server whose users log in in ways that sshd without PAM cannot offer. Usage: login_server.py DIR"""
import os
import socket
import sys
import threading

import paramiko

folder = sys.argv[1]
host_key = paramiko.Ed25519Key.from_private_key_file(os.path.join(folder, "host_key"))
with open(os.path.join(folder, "authorized_keys"), encoding="ascii") as f:
    known = f.read().split()[1]

METHODS = {
    "pw": "password",
    "kbd": "keyboard-interactive",
    "rounds": "keyboard-interactive",
    "odd": "keyboard-interactive",
    "never": "publickey,password,keyboard-interactive",
    "open": "none",
}


class Server(paramiko.ServerInterface):
    def __init__(self):
        self.step = 0
        self.user = ""

    def get_allowed_auths(self, username):
        if username == "both":
            return "password" if self.step else "publickey"
        return METHODS.get(username, "publickey")

    def check_auth_none(self, username):
        return paramiko.AUTH_SUCCESSFUL if username == "open" else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        if username != "both" or key.get_base64() != known:
            return paramiko.AUTH_FAILED
        self.step = 1
        return paramiko.AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_password(self, username, password):
        good = username in ("pw", "both") and password == "sécret" and (username == "pw" or self.step)
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username, submethods):
        self.user = username
        if username == "never":
            return paramiko.InteractiveQuery("", "", ("Password: ", False))
        if username == "odd":
            return paramiko.InteractiveQuery("\x1b]0;name\x07", "do\tthis\r\nnow", ("Pass\x1b[2Jword: ", False))
        return paramiko.InteractiveQuery("", "", ("Password: ", False), ("Code: ", True))

    def check_auth_interactive_response(self, responses):
        if self.user == "odd":
            return paramiko.AUTH_SUCCESSFUL if responses == ["x"] else paramiko.AUTH_FAILED
        if self.user == "never" or responses[:2] not in (["sesame", "42"], ["again"]):
            return paramiko.AUTH_FAILED
        if self.user == "rounds" and responses != ["again"]:
            return paramiko.InteractiveQuery("", "", ("Once more: ", False))
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_direct_tcpip_request(self, chanid, origin, destination):
        return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


def serve(connection):
    transport = paramiko.Transport(connection)
    transport.add_server_key(host_key)
    try:
        transport.start_server(server=Server())
        transport.join()
    except (paramiko.SSHException, EOFError, OSError):
        transport.close()


listener = socket.create_server(("127.0.0.1", 0))
with open(os.path.join(folder, "port.new"), "w", encoding="ascii") as f:
    f.write(f"{listener.getsockname()[1]}\n")
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
