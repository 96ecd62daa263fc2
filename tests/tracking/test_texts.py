"""Tests of ml_project.tracking.texts."""

import doctest

from ml_project.tracking import texts


def test_examples_hold() -> None:
    assert doctest.testmod(texts).failed == 0


def test_to_text_too_long_is_cut_to_the_limit_and_says_so() -> None:
    text = texts.to_text("x" * 7000, 6000)
    assert len(text) == 6000
    assert text.endswith("... [cut; 7000 characters]")
