-- Dimensions of cooperation over time.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.dimensions (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    name_en    text NOT NULL,
    defined    text NOT NULL,
    defined_on date NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX dimensions_current ON projections.dimensions (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX dimensions_key ON projections.dimensions (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.dimensions TO secretariat_server;
