"""The log on standard error, as text and as JSON (§8, P12)."""

import json
import logging
from datetime import datetime

import pytest
import structlog

from door_sync.cli.logs import configure_logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == "", "the log goes to standard error alone"
    return err.splitlines()


def test_text_says_when_how_grave_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(verbose=False, log_format="text")
    structlog.get_logger("door_sync.daemon").warning("cycle", ending="held", deactivated=0)
    [line] = lines(capsys)
    moment, rest = line.split(" ", maxsplit=1)
    assert datetime.fromisoformat(moment).tzinfo is not None
    assert rest.startswith("[warning  ] cycle")
    assert "ending=held" in rest
    assert "\x1b" not in line


def test_json_is_one_object_by_the_line_also_for_the_standard_library(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(verbose=False, log_format="json")
    structlog.get_logger("door_sync.daemon").info("cycle", ending="clean")
    logging.getLogger("door_sync.http.retrying").warning("%s; again in %.1f s", "no answer", 0.5)
    own, foreign = map(json.loads, lines(capsys))
    assert datetime.fromisoformat(own.pop("timestamp")).tzinfo is not None
    assert own == {"event": "cycle", "level": "info", "ending": "clean"}
    assert foreign["event"] == "no answer; again in 0.5 s"
    assert foreign["level"] == "warning"


@pytest.mark.parametrize(("verbose", "heard"), [(False, ["info"]), (True, ["info", "debug"])])
def test_v_lets_our_own_modules_say_more(
    verbose: bool, heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(verbose=verbose, log_format="json")
    log = structlog.get_logger("door_sync.daemon")
    log.info("something")
    log.debug("something")
    assert [json.loads(line)["level"] for line in lines(capsys)] == heard


def test_v_does_not_open_the_mouths_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    """An HTTP library at level DEBUG would print headers and bodies (P12)."""
    configure_logs(verbose=True, log_format="text")
    logging.getLogger("httpcore2.http11").debug("send_request_headers: the key")
    logging.getLogger("somebody").info("else")
    assert lines(capsys) == []


def test_a_second_call_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(verbose=True, log_format="json")
    configure_logs(verbose=False, log_format="text")
    structlog.get_logger("door_sync").info("once")
    [line] = lines(capsys)
    assert "once" in line


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("level", ["exception", "error"])
def test_an_exception_says_where_and_its_class_but_nothing_of_its_message(
    log_format: str, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(verbose=True, log_format=log_format)
    hidden = "Zaphodine Quux"
    try:
        raise ValueError(hidden)
    except ValueError as error:
        if level == "exception":
            logging.getLogger("any.library").exception("it broke")
        else:
            structlog.get_logger("door_sync").error("it broke", exc_info=error)
    said = "\n".join(lines(capsys))
    assert "it broke" in said
    assert "ValueError" in said
    assert "test_logs.py" in said
    assert "Zaphodine" not in said


def test_no_exception_at_hand_is_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(verbose=False, log_format="json")
    structlog.get_logger("door_sync").error("it broke", exc_info=None)
    [line] = lines(capsys)
    assert json.loads(line).keys() == {"event", "level", "timestamp"}
