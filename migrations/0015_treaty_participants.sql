-- Participants in treaties over time: who signed, is bound, withdrew or denounced.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.treaty_participants (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    treaty             text NOT NULL,
    state              text,
    organization       text,
    status             text NOT NULL,
    signed             text,
    signed_earliest    date,
    signed_latest      date,
    instrument_number  bigint NOT NULL,
    instrument         text,
    instrument_date    text,
    share              numeric,
    deposited          text,
    deposited_earliest date,
    deposited_latest   date,
    effect             text,
    effect_earliest    date,
    effect_latest      date,
    "left"             text,
    left_earliest      date,
    left_latest        date,
    leaving            text,
    leaving_earliest   date,
    leaving_latest     date,
    before_left_earliest    date,
    before_left_latest      date,
    before_leaving_earliest date,
    before_leaving_latest   date
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX treaty_participants_current ON projections.treaty_participants (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX treaty_participants_key ON projections.treaty_participants (key, step);
-- All that was known of a treaty's participants, to find out whether and for whom it is in force.
CREATE INDEX treaty_participants_treaty ON projections.treaty_participants (treaty, key, step);

GRANT SELECT, INSERT, UPDATE ON projections.treaty_participants TO secretariat_server;
