-- Plans over time: adopted for a year, and revised.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.plans (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    year       bigint NOT NULL,
    items      bigint NOT NULL,
    adopted_by text,
    adopted    text   NOT NULL,
    adopted_on date   NOT NULL,
    decided_by text,
    revised    text,
    revised_on date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX plans_current ON projections.plans (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX plans_key ON projections.plans (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.plans TO secretariat_server;
