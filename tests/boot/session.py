# SPDX-License-Identifier: MIT
"""An emulator run as a person at a terminal runs it: typed into, read, and waited for."""
import os
import re
import select
import signal
import subprocess
import tempfile
import termios
import time

# Slow builds (sanitizers, a busy machine) are given more patience by the environment.
PATIENCE = float(os.environ.get("RINGSIDE_TEST_PATIENCE", "1"))


class Failure(Exception):
    """A check that did not hold, in words."""


class Session:
    """One run of an emulator whose standard input and output are a terminal and whose stderr is kept apart.

    The terminal starts without echo and translation of output, so that nothing is typed back before the emulator sets
    its own mode.
    """

    def __init__(self, command, log_path):
        master, slave = os.openpty()
        settings = termios.tcgetattr(slave)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        self.master = master
        self.terminal = termios.tcgetattr(master)
        self.command = command
        self.text = ""  # all output so far
        self.seen = 0  # what expect() has passed
        self.commands = 0
        self.log = open(log_path, "wb")
        self.stderr = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=self.stderr, start_new_session=True)
        os.close(slave)
        self.at_end = False
        self.heard = self.started  # when output last came

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        self.log.close()
        self.stderr.close()

    def _read(self, seconds):
        """Take what the emulator wrote within so many seconds; False when it will write no more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side of a pseudo terminal is closed
            data = b""
        if not data:
            self.at_end = True
            return False
        self.heard = time.monotonic()
        self.log.write(data)
        self.log.flush()
        self.text += data.decode("utf-8", "replace").replace("\r", "")
        return True

    def tail(self):
        return "\n".join(self.text.splitlines()[-15:])

    def expect(self, pattern, seconds, silence=None):
        """Wait for a regular expression in the output after the last match, for so many seconds, and not through so many
        of silence. Returns the match."""
        expression = re.compile(pattern)
        limit = time.monotonic() + seconds * PATIENCE
        while True:
            match = expression.search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            if self.at_end:
                raise Failure(f"the run ended before {pattern!r} came; stderr: {self.errors()!r}; last output:\n{self.tail()}")
            if time.monotonic() > limit:
                raise Failure(f"{pattern!r} did not come within {seconds * PATIENCE:.0f} s; last output:\n{self.tail()}")
            if silence and time.monotonic() > self.heard + silence * PATIENCE:
                raise Failure(f"silent for {silence * PATIENCE:.0f} s before {pattern!r} came; last output:\n{self.tail()}")
            self._read(0.5)

    def type(self, text):
        data = text.encode()
        while data:
            written = os.write(self.master, data)
            data = data[written:]

    def shell(self, command, seconds=60, status=0):
        """Run one command in the guest's shell. Returns its output; fails on another exit status."""
        self.commands += 1
        number = self.commands
        # The quotes tell the markers of the output from the echo of what was typed.
        self.type(f"echo '=='{number}.; {command}; echo '=='{number}=$?=\n")
        self.expect(rf"\n=={number}\.\n", seconds)
        start = self.seen
        end = self.expect(rf"=={number}=(\d+)=\n", seconds)
        output = self.text[start : end.start()]
        if int(end[1]) != status:
            raise Failure(f"in the guest, {command!r} gave status {end[1]}, not {status}; output:\n{output}")
        return output

    def finish(self, seconds=60):
        """Wait for the end of the run. Returns its exit code (negative: a signal)."""
        limit = time.monotonic() + seconds * PATIENCE
        while not self.at_end and time.monotonic() < limit:
            self._read(0.5)
        try:
            return self.process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise Failure(f"the run did not end within {seconds * PATIENCE:.0f} s; last output:\n{self.tail()}") from None

    def terminal_restored(self):
        """The terminal has the settings that the emulator found."""
        return termios.tcgetattr(self.master) == self.terminal

    def errors(self):
        self.stderr.seek(0)
        return self.stderr.read().decode("utf-8", "replace")

    def cpu_seconds(self):
        """Processor time that the emulator, all its threads, has used so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
