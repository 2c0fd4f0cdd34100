-- Finding what was known early, and what is not dated exactly.

-- What was known by an early position is a small part of a table that has grown: found by when it
-- became known, a total or a count of it costs what it did then.
CREATE INDEX states_since ON projections.states (lower(known));
CREATE INDEX bodies_since ON projections.bodies (lower(known));
CREATE INDEX persons_since ON projections.persons (lower(known));
CREATE INDEX accounts_since ON projections.accounts (lower(known));
CREATE INDEX budgets_since ON projections.budgets (lower(known));
CREATE INDEX contributions_since ON projections.contributions (lower(known));
CREATE INDEX secondments_since ON projections.secondments (lower(known));
CREATE INDEX dimensions_since ON projections.dimensions (lower(known));
CREATE INDEX priority_areas_since ON projections.priority_areas (lower(known));
CREATE INDEX plans_since ON projections.plans (lower(known));
CREATE INDEX activities_since ON projections.activities (lower(known));
CREATE INDEX organizations_since ON projections.organizations (lower(known));
CREATE INDEX treaties_since ON projections.treaties (lower(known));
CREATE INDEX treaty_participants_since ON projections.treaty_participants (lower(known));
CREATE INDEX treaty_statements_since ON projections.treaty_statements (lower(known));
CREATE INDEX depositary_notifications_since ON projections.depositary_notifications (lower(known));
CREATE INDEX expenditures_since ON projections.expenditures (lower(known));
CREATE INDEX financial_reports_since ON projections.financial_reports (lower(known));
CREATE INDEX audit_reports_since ON projections.audit_reports (lower(known));

-- Only records with a row that may hold on days on which it doesn't on the cautious reading can have
-- several candidates. Where dates are exact there are none, and nothing is kept for it.
CREATE INDEX states_inexact ON projections.states (key) WHERE effective <> possible;
CREATE INDEX bodies_inexact ON projections.bodies (key) WHERE effective <> possible;
CREATE INDEX persons_inexact ON projections.persons (key) WHERE effective <> possible;
CREATE INDEX accounts_inexact ON projections.accounts (key) WHERE effective <> possible;
CREATE INDEX budgets_inexact ON projections.budgets (key) WHERE effective <> possible;
CREATE INDEX contributions_inexact ON projections.contributions (key) WHERE effective <> possible;
CREATE INDEX secondments_inexact ON projections.secondments (key) WHERE effective <> possible;
CREATE INDEX dimensions_inexact ON projections.dimensions (key) WHERE effective <> possible;
CREATE INDEX priority_areas_inexact ON projections.priority_areas (key) WHERE effective <> possible;
CREATE INDEX plans_inexact ON projections.plans (key) WHERE effective <> possible;
CREATE INDEX activities_inexact ON projections.activities (key) WHERE effective <> possible;
CREATE INDEX organizations_inexact ON projections.organizations (key) WHERE effective <> possible;
CREATE INDEX treaties_inexact ON projections.treaties (key) WHERE effective <> possible;
CREATE INDEX treaty_participants_inexact ON projections.treaty_participants (key) WHERE effective <> possible;
CREATE INDEX treaty_statements_inexact ON projections.treaty_statements (key) WHERE effective <> possible;
CREATE INDEX depositary_notifications_inexact ON projections.depositary_notifications (key) WHERE effective <> possible;
CREATE INDEX expenditures_inexact ON projections.expenditures (key) WHERE effective <> possible;
CREATE INDEX financial_reports_inexact ON projections.financial_reports (key) WHERE effective <> possible;
CREATE INDEX audit_reports_inexact ON projections.audit_reports (key) WHERE effective <> possible;

-- Nothing is found by these: a page is asked for as of a position, which may be any.
DROP INDEX projections.contributions_state_key_idx;
DROP INDEX projections.contributions_fiscal_year_key_idx;
DROP INDEX projections.secondments_state_key_idx;
DROP INDEX projections.expenditures_fiscal_year_key_idx;
