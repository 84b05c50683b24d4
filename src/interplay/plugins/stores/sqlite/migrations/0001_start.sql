-- Interactions in chains of branches, the events of those that still run, and what they claim.

PRAGMA application_id = 0x49504c59;

-- A line of a conversation. A child of its tip goes on in it, a child of an inner turn opens
-- another one. `high` only grows, so the depth of a deleted tip is never given out again.
CREATE TABLE branches (
  id INTEGER PRIMARY KEY,
  root TEXT NOT NULL,
  parent INTEGER,
  fork INTEGER,
  high INTEGER NOT NULL
);
CREATE INDEX branches_by_root ON branches (root);
CREATE INDEX branches_by_parent ON branches (parent) WHERE parent IS NOT NULL;

-- What was asked. Written once; afterwards only status and updated change, in place.
-- Times are Unix milliseconds; status is an index into STATUSES in rows.py.
-- The big columns stand last, so that a read of the others need not walk over them.
CREATE TABLE interactions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  branch INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  status INTEGER NOT NULL,
  background INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  expires INTEGER,
  parent TEXT,
  model TEXT,
  agent TEXT,
  labels TEXT,
  idempotency_key TEXT,
  fingerprint TEXT,
  request BLOB NOT NULL,
  input BLOB NOT NULL
);
CREATE INDEX interactions_by_owner ON interactions (owner);
CREATE INDEX interactions_by_status ON interactions (owner, status);
CREATE UNIQUE INDEX interactions_by_branch ON interactions (branch, depth);
CREATE INDEX interactions_by_expiry ON interactions (expires) WHERE expires IS NOT NULL;
CREATE UNIQUE INDEX interactions_by_key ON interactions (owner, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

-- What was answered: one row from the end of the interaction on.
CREATE TABLE answers (
  iid INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  last INTEGER NOT NULL,
  usage BLOB NOT NULL,
  errors BLOB NOT NULL,
  replay BLOB NOT NULL,
  steps BLOB NOT NULL
);

-- The fence: one row until the end of the interaction.
CREATE TABLE running (
  iid INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  last INTEGER NOT NULL
);

-- Events of interactions that still run. Rows of many runs lie in the order they came, and only
-- the small index is spread.
CREATE TABLE events (
  iid INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  data BLOB NOT NULL
);
CREATE UNIQUE INDEX events_by_seq ON events (iid, seq);

CREATE TABLE memos (
  iid INTEGER NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL
);
CREATE UNIQUE INDEX memos_by_key ON memos (iid, key);

-- Labels again, for lists: a row each, so that interactions without labels pay nothing.
CREATE TABLE labels (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  iid INTEGER NOT NULL,
  PRIMARY KEY (owner, key, value, iid)
) WITHOUT ROWID;

-- Which interaction refers to which blob; the digest in its 32 bytes.
CREATE TABLE interaction_blobs (
  iid INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  PRIMARY KEY (iid, sha256)
) WITHOUT ROWID;
CREATE INDEX interaction_blobs_by_digest ON interaction_blobs (sha256);
