-- States over time: member or observer, and under which name.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.states (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    status       text NOT NULL CHECK (status IN ('member', 'observer', 'former')),
    status_since text NOT NULL,
    status_on    date NOT NULL,
    name_en      text NOT NULL,
    name_ru      text
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX states_current ON projections.states (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX states_key ON projections.states (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.states TO secretariat_server;
