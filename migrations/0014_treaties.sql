-- Treaties, and the rules by which they enter into force, as data.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.treaties (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    title_en              text NOT NULL,
    depositary            text,
    clause                text,
    instruments_required  bigint,
    instrument_kinds      text,
    organizations_counted boolean,
    share_required        numeric,
    share_of              text,
    "offset"              text,
    party_offset          text,
    denunciation_offset   text,
    opened                text NOT NULL,
    opened_on             date NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX treaties_current ON projections.treaties (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX treaties_key ON projections.treaties (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.treaties TO secretariat_server;
