-- What the depositary let the states know.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.depositary_notifications (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    treaty        text NOT NULL,
    subject       text NOT NULL,
    title_en      text,
    state         text,
    organization  text,
    action_date   text,
    circulated    text NOT NULL,
    circulated_on date NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX depositary_notifications_current ON projections.depositary_notifications (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX depositary_notifications_key ON projections.depositary_notifications (key, step);
CREATE INDEX ON projections.depositary_notifications (treaty, key);

GRANT SELECT, INSERT, UPDATE ON projections.depositary_notifications TO secretariat_server;
