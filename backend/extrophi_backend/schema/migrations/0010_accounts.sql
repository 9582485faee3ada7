-- What platforms ask of those who collect from them. Nothing here can be read without a key that is not in the database.

-- `host` parts cookies of the web by the site that they belong to; else it is empty.
CREATE TABLE credentials (
    platform   text NOT NULL,
    name       text NOT NULL,
    host       text NOT NULL DEFAULT '',
    sealed     bytea NOT NULL,                          -- sealing.py says how
    expires_at timestamptz,
    set_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform, name, host)
);

-- What the platform last said of a credential, stored or from the environment: `digest` tells of which value.
CREATE TABLE credential_tests (
    platform   text NOT NULL,
    name       text NOT NULL,
    host       text NOT NULL DEFAULT '',
    digest     bytea NOT NULL,
    state      text NOT NULL CHECK (state IN ('ok', 'refused')),
    detail     text NOT NULL DEFAULT '',
    tested_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (platform, name, host)
);

-- When the log last warned of a platform's credentials.
CREATE TABLE credential_warnings (
    platform   text PRIMARY KEY,
    warned_at  timestamptz NOT NULL DEFAULT now()
);
