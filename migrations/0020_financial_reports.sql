-- Financial reports over time.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.financial_reports (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    fiscal_year   bigint,
    period_start  date,
    period_end    date,
    considered_by text,
    issued        text NOT NULL,
    issued_on     date NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX financial_reports_current ON projections.financial_reports (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX financial_reports_key ON projections.financial_reports (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.financial_reports TO secretariat_server;
