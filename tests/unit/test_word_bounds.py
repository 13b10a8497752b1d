"""Many texts split at once give the words that each gives alone."""

from hypothesis import given
from hypothesis import strategies as st

from spanloop.model.word_bounds import split_texts
from spanloop.words import split_words

ASCII = st.text(st.characters(max_codepoint=127), max_size=30)


@given(st.lists(ASCII | st.text(max_size=20), max_size=6))
def test_every_text_has_the_words_that_it_has_alone(texts):
    words, bounds = split_texts(texts)
    found = [[tuple(word) for word in words[bounds[i] : bounds[i + 1]].tolist()] for i in range(len(texts))]
    assert found == [split_words(text) for text in texts]
