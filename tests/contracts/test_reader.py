"""The page every reader answers with."""

from interplay.contracts.reader import Page


def test_the_text_of_a_page_is_all_its_pages():
    assert Page(url="u", status="success", texts=["one", "two"]).text == "one\n\ntwo"
    assert Page(url="u", status="error").text == ""
