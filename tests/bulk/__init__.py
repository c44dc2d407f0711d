"""Tests of whole columns of questions."""
