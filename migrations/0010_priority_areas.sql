-- Priority areas over time: their number, their dimension and their name.

-- A row is never deleted and never changes but for the end of `known` (see projections/timeline.py).
CREATE TABLE projections.priority_areas (
    key       text      NOT NULL,
    step      bigint    NOT NULL,
    position  bigint    NOT NULL,
    known     int8range NOT NULL,
    effective daterange NOT NULL,
    possible  daterange NOT NULL,
    number     bigint NOT NULL,
    dimension  text   NOT NULL,
    name_en    text   NOT NULL,
    defined    text   NOT NULL,
    defined_on date   NOT NULL
);

-- One row a step is what the ledger knows at any one time: the rows that a new entry may close.
CREATE UNIQUE INDEX priority_areas_current ON projections.priority_areas (key, step) WHERE upper_inf(known);
-- All that was ever known of a record, and a list page at any position, in the order of keys.
CREATE INDEX priority_areas_key ON projections.priority_areas (key, step);

GRANT SELECT, INSERT, UPDATE ON projections.priority_areas TO secretariat_server;
