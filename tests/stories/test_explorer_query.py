"""The explorer's page of queries: SQL over the runs of the opened folder, as `sparring query` has it."""

from __future__ import annotations

import pytest

from tests.explorer_pages import NARROW, WIDE, Open, eventually, picture, query_of, says

pytest.importorskip("duckdb", reason="queries need DuckDB: pip install 'sparring[query]'")


def ask(page: object, sql: str) -> None:
    page.fill("[aria-label=Query]", sql)  # pyright: ignore[reportAttributeAccessIssue]
    page.press("[aria-label=Query]", "Control+Enter")  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_query_is_answered_by_a_table_whose_runs_open(opened: Open, width: int) -> None:
    page = opened("/", width)
    page.click("text=Query them with SQL")
    says(page, " row", ".page [role=status]")  # other stories may have left runs
    assert "members" in page.inner_text(".answer thead")
    picture(page, f"query-{width}")
    ask(page, "select run, status from runs order by run desc limit 2")
    says(page, "2 rows.", ".page [role=status]")
    page.click(".answer tbody a")
    page.wait_for_selector(".verdict .line")
    page.go_back()
    says(page, "2 rows.", ".page [role=status]")
    assert page.input_value("[aria-label=Query]").endswith("limit 2")


def test_a_comment_ends_with_its_line(opened: Open) -> None:
    page = opened("/query")
    page.fill("[aria-label=Query]", "select run from runs -- but one")
    page.press("[aria-label=Query]", "Enter")
    page.keyboard.type("limit 1")
    page.click("text=Run the query")
    says(page, "1 row.", ".page [role=status]")
    assert eventually(lambda: query_of(page).get("sql"), bool) == "select run from runs -- but one\nlimit 1"


def test_a_wrong_query_says_what_is_wrong_and_the_page_goes_on(opened: Open) -> None:
    page = opened("/query")
    ask(page, "select * from rnus")
    says(page, "no table called 'rnus'; did you mean 'runs'?", ".problem")
    assert not page.locator(".answer table").count()
    ask(page, "select * from range(1000)")
    says(page, "The first 200 rows", ".page [role=status]")
    assert eventually(lambda: page.locator(".answer tbody tr").count(), lambda count: count == 200)


def test_a_query_reads_no_file_and_shows_no_markup(opened: Open) -> None:
    page = opened("/query")
    ask(page, "select * from read_csv('/etc/passwd')")
    says(page, "disabled", ".problem")
    ask(page, "select '<img src=x onerror=alert(1)>' as text")
    says(page, "<img src=x", ".answer")
    assert not page.locator(".answer img").count()
