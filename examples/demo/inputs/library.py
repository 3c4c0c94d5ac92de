"""A lending library on SQLAlchemy, run as a program so that its statement log can be kept."""

import logging
import random
import sys

import sqlalchemy as sa

_METADATA = sa.MetaData()
_BOOKS = sa.Table(
    "books",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.String),
    sa.Column("shelf", sa.Integer),
)
_LOANS = sa.Table(
    "loans",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("book_id", sa.ForeignKey("books.id")),
    sa.Column("reader", sa.String),
    sa.Column("days", sa.Integer),
)
_WORDS = (
    "silent",
    "river",
    "glass",
    "winter",
    "letters",
    "last",
    "island",
    "distant",
    "summer",
    "small",
    "stone",
    "house",
)


def lend(rounds: int) -> None:
    """Buy a book, lend one, look one up: `rounds` times."""
    chance = random.Random(rounds)
    engine = sa.create_engine("sqlite://")
    _METADATA.create_all(engine)
    for _ in range(rounds):
        with engine.begin() as connection:
            title = " ".join(chance.choices(_WORDS, k=chance.randint(2, 6))).title()
            bought = connection.execute(sa.insert(_BOOKS).values(title=title, shelf=chance.randrange(400)))
            book = chance.randint(1, bought.inserted_primary_key[0])  # type: ignore[index]
            reader = f"reader-{chance.getrandbits(20):05x}"
            connection.execute(sa.insert(_LOANS).values(book_id=book, reader=reader, days=chance.choice((7, 14, 28))))
            found = sa.select(_BOOKS.c.title, _LOANS.c.reader).join(_LOANS).where(_BOOKS.c.id == book)
            connection.execute(found).all()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stdout)
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO)
    lend(int(sys.argv[1]))
