-- Reservations, declarations and objections, and which of them still stand.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.treaty_statements (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    type                       text NOT NULL,
    treaty                     text NOT NULL,
    state                      text,
    organization               text,
    text                       text NOT NULL,
    provisions                 text,
    objects_to                 text,
    precludes_entry_into_force boolean,
    made                       text NOT NULL,
    made_on                    date NOT NULL,
    withdrawn                  text,
    withdrawn_on               date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX treaty_statements_current ON projections.treaty_statements (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX treaty_statements_key ON projections.treaty_statements (key, step);
-- The statements on a treaty, and the objections to one.
CREATE INDEX ON projections.treaty_statements (treaty, key);
CREATE INDEX ON projections.treaty_statements (objects_to, key);

GRANT SELECT, INSERT, UPDATE ON projections.treaty_statements TO secretariat_server;
