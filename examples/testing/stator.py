"""A `stator dev` for the length of a test run, and a few words for its /_stator/ API. Copy it into your tests."""

import json
import os
import subprocess
import urllib.request


class Stator:
    """A server of one's own: start one per test process, then nothing is shared."""

    def __init__(self, binary=None):
        binary = binary or os.environ.get("STATOR_BINARY", "stator")
        self.process = subprocess.Popen(
            [binary, "dev", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.url = line.removeprefix("listening on ").strip()
                return
        raise RuntimeError("stator ended before it listened")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None):
        """Calls /_stator/PATH; a refusal raises, with its hint."""
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(f"{self.url}/_stator/{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as refused:
            error = json.load(refused)["error"]
            raise RuntimeError(f"{error['message']} ({error['hint']})") from None

    def advance(self, by):
        return self.call("POST", "clock/advance", {"by": by})

    def fault(self, **fault):
        return self.call("POST", "faults", fault)

    def requests(self, operation):
        return self.call("GET", f"requests?operation={operation}")["requests"]
