"""What a person writes in prose, as search takes it."""

from extrophi_research.errors import InvalidInput

_QUOTATION_MARKS = str.maketrans(dict.fromkeys('"“”„«»'))


def as_query(text: str, field: str) -> str:
    """Prose without what would be an operator of a query: its quotation marks, and dashes that begin a word.

    Raises:
        InvalidInput: Nothing is left.
    """
    # Quotation marks first: the dash of “-40” begins a word only without them.
    words = (word.translate(_QUOTATION_MARKS).lstrip("-") for word in text.split())
    query = " ".join(word for word in words if word)
    if not query:
        raise InvalidInput(f"{field}: it holds no word.", field=field, hint="Write what you would like to know.")
    return query
