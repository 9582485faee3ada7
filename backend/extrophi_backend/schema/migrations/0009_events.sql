-- What happened to documents, for those who follow: streams, webhooks, feeds.

-- A row per document created, updated, gone or deleted, in the writing transaction. Title, address, sources and
-- collections are looked up when it is read: who may see them may change, and a deleted document leaves none of them here.
CREATE TABLE events (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- of one document ascending: writers lock it first
    txid         xid8 NOT NULL DEFAULT pg_current_xact_id(),        -- tells which events a reader's snapshot held already
    kind         text NOT NULL
                 CHECK (kind IN ('document.created', 'document.updated', 'document.gone', 'document.deleted')),
    document_id  uuid NOT NULL,
    version      integer NOT NULL,
    happened_at  timestamptz NOT NULL DEFAULT now(),
    platform     text,                                              -- these three of deleted documents only
    source_ids   uuid[],
    collections  text[]
);
CREATE INDEX events_txid ON events (txid, seq);

-- Where a source's events are posted to.
CREATE TABLE webhooks (
    source_id      uuid PRIMARY KEY REFERENCES sources ON DELETE CASCADE,
    url            text NOT NULL,
    sealed         bytea NOT NULL,              -- what messages are signed with, as sealing.py says
    state          text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'failed', 'disabled')),
    error          jsonb,                       -- {"code", "detail"} of the last attempt, if that failed
    attempts       integer NOT NULL DEFAULT 0,  -- of the message under way
    run_after      timestamptz NOT NULL DEFAULT now(),
    message_id     uuid,                        -- the message under way: a retry has the same id, and the same events
    message_upto   bigint,                      -- its last event's place in webhook_outbox
    fence          bigint NOT NULL DEFAULT 0,   -- number of the attempt; an older one may write nothing more
    lease_until    timestamptz,
    delivered_at   timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);

-- Events that wait for their webhook, in the order in which they go out.
CREATE TABLE webhook_outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id  uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event_seq  bigint NOT NULL REFERENCES events ON DELETE CASCADE
);
CREATE INDEX webhook_outbox_source ON webhook_outbox (source_id, id);
CREATE INDEX webhook_outbox_event ON webhook_outbox (event_seq);

-- Up to where events were put into the outbox: all that this snapshot (as text) held.
CREATE TABLE webhook_routing (
    only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    seen       text NOT NULL
);
INSERT INTO webhook_routing (seen) VALUES (pg_current_snapshot()::text);

-- Tokens that open the feed, and nothing else. A token is shown once; its hash is kept.
CREATE TABLE feed_tokens (
    id            uuid PRIMARY KEY,
    hash          bytea NOT NULL UNIQUE,        -- sha256; the token is 32 random bytes, which nobody guesses
    name          text NOT NULL DEFAULT '',
    collections   text[],                       -- names of what it opens; NULL: all
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz                   -- right to the hour
);
