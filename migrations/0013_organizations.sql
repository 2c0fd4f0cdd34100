-- Organizations of states that may become parties to treaties.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.organizations (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    name_en       text NOT NULL,
    name_ru       text,
    registered    text NOT NULL,
    registered_on date NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX organizations_current ON projections.organizations (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX organizations_key ON projections.organizations (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.organizations TO secretariat_server;
