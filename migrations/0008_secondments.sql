-- Secondments over time: who served, lent by which state.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.secondments (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    person          text NOT NULL,
    state           text NOT NULL,
    title           text NOT NULL,
    joined          text NOT NULL,
    joined_earliest date NOT NULL,
    joined_latest   date NOT NULL,
    until           text,
    "left"          text,
    left_earliest   date,
    left_latest     date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX secondments_current ON projections.secondments (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX secondments_key ON projections.secondments (key, step);
CREATE INDEX ON projections.secondments (state, key) WHERE upper_inf(known);

GRANT SELECT, INSERT, UPDATE ON projections.secondments TO secretariat_server;
