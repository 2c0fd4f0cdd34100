-- Bank accounts over time.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.accounts (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    fund      text NOT NULL,
    currency  text NOT NULL,
    opened    text NOT NULL,
    opened_on date NOT NULL,
    closed    text,
    closed_on date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX accounts_current ON projections.accounts (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX accounts_key ON projections.accounts (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.accounts TO secretariat_server;
