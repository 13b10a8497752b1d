"""Ports, locks and child processes, with real sockets, files and processes."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager

import psutil
import pytest

from spanloop.errors import ServiceError
from spanloop.processes.files import file_lock
from spanloop.processes.ports import free_port, is_loopback, local_url, require_free
from spanloop.processes.spawn import end_all, family, spawn
from spanloop.processes.supervisor import Stopped, Supervisor
from spanloop.processes.watchdog import Watchdog
from spanloop.services.orphans import is_of_this_machine

SLEEPING = "import time; time.sleep(60)"
SLEEP = [sys.executable, "-c", SLEEPING]


def run(code, log):
    return spawn([sys.executable, "-c", code], log=log, environ=os.environ, cwd=log.parent)


def start(services, name, code, log):
    return services.start(name, [sys.executable, "-c", code], environ=os.environ, log=log, cwd=log.parent)


@contextmanager
def handled(number, handler):
    """A signal's handler is this one for a while, whatever the tests were started under."""
    before = signal.signal(number, handler)
    try:
        yield handler
    finally:
        signal.signal(number, before)


def lives(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def eventually(true, patience=10.0):
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_taken_port_is_named_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"^port {port} on 127\.0\.0\.1 is taken .* --port$"):
            require_free("127.0.0.1", port, "--port")
    require_free("127.0.0.1", port, "--port")


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("192.0.2.7", 6900), ("no.such.host.invalid", 6900)])
def test_an_address_that_cannot_be_is_one_line(host, port):
    with pytest.raises(ServiceError) as caught:
        require_free(host, port, "--port")
    assert str(port) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "here"), [("http://localhost:1/api", True), ("http://[::1]", True), ("http://a", False)]
)
def test_no_proxy_is_asked_for_an_address_of_this_machine(url, here):
    assert is_loopback(url) is here


@pytest.mark.parametrize(("host", "near"), [("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")])
def test_a_server_of_this_machine_has_an_address_here(host, near):
    assert local_url(host, 6900) == f"http://{near}:6900"


def test_a_lock_waits_and_then_says_who_has_it(tmp_path):
    path = tmp_path / "x" / "lock"
    with (
        file_lock(path, patience=0, taken="mine"),
        pytest.raises(ServiceError, match=r"^taken by another$"),
        file_lock(path, patience=0.2, taken="taken by another"),
    ):
        pass
    with file_lock(tmp_path / "x" / "lock", patience=0, taken="free again"):
        pass


def test_a_lock_in_a_place_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(ServiceError, match=r"cannot be written: Not a directory; SPANLOOP_HOME chooses another place$"),
        file_lock(tmp_path / "file" / "home" / "lock", patience=0, taken=""),
    ):
        pass


def test_a_lock_ends_with_its_holder_however_that_ends(tmp_path):
    code = f"""
        import time
        from pathlib import Path
        from spanloop.processes.files import file_lock
        with file_lock(Path({str(tmp_path / "lock")!r}), patience=0, taken=""):
            print("held", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ServiceError), file_lock(tmp_path / "lock", patience=0, taken="taken"):
            pass
        holder.kill()
    with file_lock(tmp_path / "lock", patience=0, taken="taken"):
        pass


def test_ending_a_process_ends_its_children_and_its_orphans(tmp_path):
    code = f"""
        import os, subprocess, sys, time
        if os.fork() == 0:  # a child that starts a grandchild and dies: the grandchild is an orphan
            subprocess.Popen({SLEEP!r}); os._exit(0)
        subprocess.Popen({SLEEP!r})
        subprocess.Popen({SLEEP!r}, start_new_session=True)
        time.sleep(60)
    """
    leader = run(textwrap.dedent(code), tmp_path / "log")
    eventually(lambda: len(family([leader.pid])) == 4)
    members = family([leader.pid])
    end_all([leader.pid])
    assert leader.wait(5) == -signal.SIGTERM
    assert not [p for p in members if lives(p)]


def test_a_process_that_ignores_sigterm_is_killed(tmp_path):
    code = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        time.sleep(60)
    """
    deaf = run(textwrap.dedent(code), tmp_path / "log")
    eventually(lambda: (tmp_path / "log").read_text() == "deaf\n")
    end_all([deaf.pid], patience=0.3)
    assert deaf.wait(5) == -signal.SIGKILL


def test_the_watchdog_ends_children_of_a_killed_parent(tmp_path):
    code = f"""
        import os, time
        from pathlib import Path
        from spanloop.processes.supervisor import Supervisor
        with Supervisor() as s:
            child = s.start("it", {SLEEP!r}, environ=os.environ, log=Path({str(tmp_path)!r}, "log"), cwd=Path("/"))
            print(child.process.pid, flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    eventually(lambda: not lives(child))


def test_a_watchdog_that_is_closed_ends_what_still_lives():
    watchdog, child = Watchdog(), subprocess.Popen(SLEEP)
    watchdog.hold(child.pid)
    watchdog.close()
    assert child.wait(5) == -signal.SIGTERM


def test_a_service_that_ends_is_named_with_its_last_words(tmp_path):
    with Supervisor() as services:
        well = start(services, "the well", SLEEPING, tmp_path / "well.log")
        start(services, "the ill", "import sys; print('no more\\n', flush=True); sys.exit(3)", tmp_path / "ill.log")
        with pytest.raises(ServiceError) as caught:
            services.watch(0.05)
        assert lives(psutil.Process(well.process.pid))
    assert str(caught.value) == f"the ill ended with exit code 3: no more; its log is {tmp_path / 'ill.log'}"
    assert well.process.wait(5) == -signal.SIGTERM


def test_a_killed_service_is_named_with_the_signal(tmp_path):
    with Supervisor() as services:
        child = start(services, "it", SLEEPING, tmp_path / "log")
        child.process.kill()
        with pytest.raises(ServiceError, match=r"^it was killed by signal 9: no output; its log is "):
            services.watch(0.05)


def test_a_service_that_never_gets_healthy_is_given_up(tmp_path):
    with Supervisor() as services:
        slow = start(services, "the slow", SLEEPING, tmp_path / "log")
        with pytest.raises(ServiceError, match=r"^the slow is not ready after 0 s; its log is "):
            services.wait(slow, lambda: False, patience=0.2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_watch_and_the_services(tmp_path, number):
    with handled(number, signal.default_int_handler) as before:
        with Supervisor() as services:
            child = start(services, "it", SLEEPING, tmp_path / "log")
            threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
            services.watch(0.05)
        assert child.process.wait(5) == -signal.SIGTERM
        assert signal.getsignal(number) is before


def test_logs_stay_short_of_what_was_started_here_and_of_what_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr("spanloop.processes.spawn._LOG_LIMIT", 1000)
    logs = [tmp_path / "here", tmp_path / "elsewhere"]
    chatter = "import time; print('x' * 1500, flush=True); time.sleep(60)"
    with Supervisor() as services:
        start(services, "it", chatter, logs[0])
        services.hold(run(chatter, logs[1]).pid, logs[1])
        eventually(lambda: all(log.stat().st_size > 1000 for log in logs))
        threading.Timer(0.3, services.asked_to_stop.set).start()
        services.watch(0.05)
    assert [log.stat().st_size for log in logs] == [0, 0]
    assert [log.with_name(f"{log.name}.1").stat().st_size for log in logs] == [1501, 1501]


def test_a_signal_between_two_looks_ends_the_watch_as_any_other(tmp_path):
    class Late(threading.Event):
        """Is set when a wait has just ended without it."""

        def wait(self, timeout=None):
            before = self.is_set()
            self.set()
            return before

    with Supervisor() as services:
        start(services, "it", SLEEPING, tmp_path / "log")
        services.asked_to_stop = Late()
        services.watch(0.05)


def test_under_nohup_a_closed_terminal_stops_nothing():
    with handled(signal.SIGHUP, signal.SIG_IGN), Supervisor() as services:
        os.kill(os.getpid(), signal.SIGHUP)
        services.check()


def test_a_signal_while_waiting_is_no_error_of_a_service(tmp_path):
    with Supervisor() as services:
        child = start(services, "it", SLEEPING, tmp_path / "log")
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(Stopped):
            services.wait(child, lambda: False)


def test_a_step_that_ends_well_is_no_failure_and_one_that_fails_is(tmp_path):
    with Supervisor() as services:
        services.finish(start(services, "the step", "print('done')", tmp_path / "log"))
        services.check()
        failing = start(services, "the step", "raise SystemExit('why')", tmp_path / "log")
        with pytest.raises(ServiceError, match=r"^the step ended with exit code 1: why; its log is "):
            services.finish(failing)


def test_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_a_worker_of_a_host_with_a_longer_name_is_not_of_this_machine(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "ner")
    assert is_of_this_machine("ner-4711")
    assert not is_of_this_machine("ner-2-4711")
    assert not is_of_this_machine("other-4711")
