-- Expenditures over time: incurred, refunded.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.expenditures (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    account          text    NOT NULL,
    fiscal_year      bigint  NOT NULL,
    line             text    NOT NULL,
    currency         text    NOT NULL,
    spent            numeric NOT NULL,
    refunded         numeric NOT NULL,
    net              numeric NOT NULL,
    incurred         text    NOT NULL,
    incurred_on      date    NOT NULL,
    last_refunded    text,
    last_refunded_on date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX expenditures_current ON projections.expenditures (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX expenditures_key ON projections.expenditures (key, step);
CREATE INDEX ON projections.expenditures (fiscal_year, key) WHERE upper_inf(known);

GRANT SELECT, INSERT, UPDATE ON projections.expenditures TO secretariat_server;
