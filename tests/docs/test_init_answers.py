"""The handbook has every key of an answers file, with what counts where it is left out."""

from door_sync.app.setting_up.question import QUESTIONS, RESOLUTIONS, RULE_KEYS, RULES
from tests.docs.pages import blocks, page, section, spans, table

INIT = section(page("commands.md"), "init")
ROWS = table(INIT, "key of the answers")


def documented() -> dict[str, list[str]]:
    """Each key of the table with its row."""
    return {key: row for row in ROWS for key in spans(row[0])}


def test_every_key_of_the_answers_has_a_row_and_no_row_has_no_question() -> None:
    files = [question.file_key for question in QUESTIONS.values() if question.secret]
    assert sorted(documented()) == sorted([*QUESTIONS, *files])


def test_the_table_tells_what_counts_without_an_answer() -> None:
    rows = documented()
    for key, question in QUESTIONS.items():
        without = rows[key][1]
        if question.secret:
            assert f"`{question.secret}` in the environment" in without
        elif question.default is None:
            assert without.startswith("needed")
        else:
            told = {"no": "false", "yes": "true"}.get(question.default, question.default)
            assert without == f"`{told}`"


def test_every_choice_is_told() -> None:
    rows = documented()
    for key, question in QUESTIONS.items():
        told = set(spans(rows[key][2]))
        assert set(question.choices) <= told | {"yes", "no"}, key


def test_the_rules_of_the_answers_are_told() -> None:
    [sample] = blocks(INIT)
    assert f"[{RULES}." in sample.text
    assert all(key in sample.text for key in (*RULE_KEYS, *RESOLUTIONS))
