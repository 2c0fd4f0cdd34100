-- The log itself, and what admitting an entry needs beside it. Entries are only ever added.

-- Why bytes and not jsonb: an entry's hash is over exactly the bytes that were stored, and jsonb
-- would reorder keys and rewrite numbers. The columns beside the bytes are for finding entries;
-- `secretariat verify` holds each of them to the header. Why corrects and annuls are no foreign
-- keys: checking one locks the row it points to, which needs the privilege that nobody has.
CREATE TABLE ledger.entries (
    position    bigint      PRIMARY KEY CHECK (position > 0),
    record_id   uuid        NOT NULL,
    version     bigint      NOT NULL,
    id          uuid        NOT NULL UNIQUE,
    family      text        NOT NULL,
    kind        text        NOT NULL,
    key         text        NOT NULL,
    name        text        NOT NULL,
    corrects    bigint      CHECK (corrects < position),
    annuls      bigint      CHECK (annuls < position),
    recorded_at timestamptz NOT NULL,
    appended_at timestamptz NOT NULL,
    recorded_by text        NOT NULL,
    header      bytea       NOT NULL,
    data        bytea       NOT NULL,
    leaf_hash   bytea       GENERATED ALWAYS AS (sha256('\x00'::bytea || header)) STORED,
    CHECK (corrects IS NULL OR annuls IS NULL),
    UNIQUE (record_id, version)
);

-- A moment becomes a position by one step down this index.
CREATE INDEX entries_recorded_at ON ledger.entries (recorded_at, position);
-- The entries of one kind in log order: `entries(filter: {kind: …})`.
CREATE INDEX entries_kind ON ledger.entries (kind, position);
-- Who corrected or annulled an entry.
CREATE INDEX entries_corrects ON ledger.entries (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX entries_annuls ON ledger.entries (annuls) WHERE annuls IS NOT NULL;

CREATE FUNCTION ledger.entries_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on entries is refused', TG_OP
        USING HINT = 'Record a correction or an annulment instead.';
END $$;

CREATE TRIGGER entries_are_final
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.entries_are_final();

-- The one row whose lock makes position order the order of commits (see ledger/store.py).
-- live_from is the position of the first entry recorded live, from which on no moment may be stated.
CREATE TABLE ledger.head (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    position    bigint      NOT NULL,
    recorded_at timestamptz,
    live_from   bigint
);
INSERT INTO ledger.head (position) VALUES (0);

-- Each record's newest version, and whether it exists: what admitting an entry that refers to it
-- must know. Derived from entries; `secretariat verify` checks it and `rebuild` fills it anew.
CREATE TABLE ledger.records (
    kind    text    NOT NULL,
    key     text    NOT NULL,
    version bigint  NOT NULL,
    is_open boolean NOT NULL,
    PRIMARY KEY (kind, key)
);

-- Which records the live entries of a record refer to: an opening that is referred to stays.
CREATE TABLE ledger.record_references (
    kind    text NOT NULL,
    key     text NOT NULL,
    to_kind text NOT NULL,
    to_key  text NOT NULL,
    PRIMARY KEY (kind, key, to_kind, to_key)
);
CREATE INDEX record_references_to ON ledger.record_references (to_kind, to_key);

-- A retry is answered with the first answer. The digest is of the plain content.
CREATE TABLE ledger.idempotency (
    principal text   NOT NULL,
    key       text   NOT NULL,
    position  bigint NOT NULL,
    digest    bytea  NOT NULL,
    PRIMARY KEY (principal, key)
);

-- One key a person. Destroying it is what erases the person from the log, whose bytes stay.
CREATE TABLE ledger.person_keys (
    record_id uuid  PRIMARY KEY,
    key       bytea NOT NULL CHECK (octet_length(key) = 32)
);

-- What a ledger is once and for ever: its name and its home time zone.
CREATE TABLE ledger.settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- The names that `eventsourcing` expects of a log.
CREATE VIEW ledger.stored_events AS
    SELECT record_id AS originator_id,
           version   AS originator_version,
           name      AS topic,
           data      AS state,
           position  AS notification_id
      FROM ledger.entries;

-- By privilege as well as by trigger, and from the owner too: nobody changes an entry by mistake.
REVOKE UPDATE, DELETE, TRUNCATE ON ledger.entries FROM secretariat_owner;
GRANT SELECT, INSERT ON ledger.entries TO secretariat_server;
GRANT SELECT ON ledger.stored_events TO secretariat_server;
GRANT SELECT, UPDATE ON ledger.head TO secretariat_server;
GRANT SELECT, INSERT, UPDATE ON ledger.records TO secretariat_server;
GRANT SELECT, INSERT, DELETE ON ledger.record_references TO secretariat_server;
GRANT SELECT, INSERT ON ledger.idempotency TO secretariat_server;
GRANT SELECT, INSERT ON ledger.person_keys TO secretariat_server;
GRANT SELECT, INSERT ON ledger.settings TO secretariat_server;
GRANT SELECT ON ledger.migrations TO secretariat_server;

-- Which rules filled the read models. A server whose own rules differ does not start.
CREATE TABLE projections.rules (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  text    NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON projections.rules TO secretariat_server;
