"""What the embeddings slice reads, through the views of read_v1 only."""

from extrophi_research.db import Connection
from extrophi_research.embeddings.models import ActiveModel


async def active_model(conn: Connection) -> ActiveModel | None:
    """The model that search uses now; None before the first indexing."""
    row = await conn.fetchrow(
        "SELECT id, name, dimensions, endpoint FROM read_v1.embedding_models WHERE state = 'active'"
    )
    return ActiveModel(**row) if row else None
