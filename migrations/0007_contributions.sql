-- Contributions over time: pledged, received, returned.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.contributions (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    state          text    NOT NULL,
    fiscal_year    bigint  NOT NULL,
    account        text,
    currency       text    NOT NULL,
    pledged        numeric,
    received       numeric NOT NULL,
    returned       numeric NOT NULL,
    net            numeric NOT NULL,
    first_received    text,
    first_received_on date,
    last_received     text,
    received_on       date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX contributions_current ON projections.contributions (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX contributions_key ON projections.contributions (key, step);
CREATE INDEX ON projections.contributions (state, key) WHERE upper_inf(known);
CREATE INDEX ON projections.contributions (fiscal_year, key) WHERE upper_inf(known);

GRANT SELECT, INSERT, UPDATE ON projections.contributions TO secretariat_server;
