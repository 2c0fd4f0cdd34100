-- Activities over time: planned, rescheduled, postponed, cancelled, held.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.activities (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    plan           text,
    category       text NOT NULL,
    body           text,
    area           text,
    organizer      text,
    organizer_role text,
    title_en       text NOT NULL,
    planned_dates  text,
    status         text NOT NULL,
    reason         text,
    held           text,
    held_earliest  date,
    held_latest    date,
    format         text,
    place          text,
    participants   bigint,
    participants_qualifier text,
    states         bigint
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX activities_current ON projections.activities (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX activities_key ON projections.activities (key, step);
-- The activities of a plan and of an area are listed under it, at any position.
CREATE INDEX ON projections.activities (plan, key);
CREATE INDEX ON projections.activities (area, key);

GRANT SELECT, INSERT, UPDATE ON projections.activities TO secretariat_server;
