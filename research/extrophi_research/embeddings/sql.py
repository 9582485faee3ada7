"""What the embeddings slice reads, through the views of read_v1 only."""

from extrophi_research.db import Connection
from extrophi_research.embeddings.models import ActiveModel


async def active_model(conn: Connection) -> ActiveModel | None:
    """The model that search uses now; None before the first indexing."""
    row = await conn.fetchrow(
        """SELECT m.id, m.name, m.dimensions, m.endpoint, s.name AS store
             FROM read_v1.embedding_models m, read_v1.vector_store s WHERE m.state = 'active'"""
    )
    return ActiveModel(**row) if row else None
