-- Budgets over time.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.budgets (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    fiscal_year bigint  NOT NULL,
    amount      numeric NOT NULL,
    currency    text    NOT NULL,
    decided_by  text,
    approved    text    NOT NULL,
    approved_on date    NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX budgets_current ON projections.budgets (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX budgets_key ON projections.budgets (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.budgets TO secretariat_server;
