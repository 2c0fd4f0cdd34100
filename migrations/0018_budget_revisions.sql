-- Budgets that are revised, or a fund's own: what was approved first stays beside what stands.

ALTER TABLE projections.budgets
    ADD COLUMN fund text,
    ADD COLUMN original_amount numeric,
    ADD COLUMN revised text,
    ADD COLUMN revised_on date;

-- Until now no budget was ever revised, so what stands in a row is what was approved.
UPDATE projections.budgets SET original_amount = amount;

ALTER TABLE projections.budgets ALTER COLUMN original_amount SET NOT NULL;
