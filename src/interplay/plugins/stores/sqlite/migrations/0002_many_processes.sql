-- Who runs what, the small resources beside interactions, and the list of work.

-- The executor that holds the row's epoch; '' while nobody does.
ALTER TABLE interactions ADD COLUMN worker TEXT NOT NULL DEFAULT '';

-- Rows that have ended have no place in it, so those written at once pay nothing.
DROP INDEX interactions_unended;
CREATE INDEX interactions_unended ON interactions (worker, created) WHERE status < 2;

-- Times are Unix milliseconds. Kinds with many records are listed by owner or by group.
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  owner TEXT NOT NULL,
  part_of TEXT NOT NULL,
  state TEXT NOT NULL,
  due INTEGER,
  expires INTEGER,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  version INTEGER NOT NULL,
  doc BLOB NOT NULL
);
CREATE UNIQUE INDEX records_by_id ON records (kind, id);
CREATE INDEX records_by_owner ON records (kind, owner);
CREATE INDEX records_by_group ON records (kind, part_of) WHERE part_of <> '';
CREATE INDEX records_by_due ON records (kind, due) WHERE due IS NOT NULL;
CREATE INDEX records_by_expiry ON records (expires) WHERE expires IS NOT NULL;

-- `executor` is '' while nobody has taken the job.
CREATE TABLE jobs (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  due INTEGER NOT NULL,
  tier INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  executor TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX jobs_waiting ON jobs (kind, tier, due) WHERE executor = '';
CREATE INDEX jobs_taken ON jobs (executor) WHERE executor <> '';
