-- Interactions in chains of branches, the events of those that still run, and what they claim.

PRAGMA application_id = 0x49504c59;

-- Every page that a commit touches is written once more to the log, and most commits are small:
-- so what a lone interaction does not need has no row and no place in an index.

-- A line of a conversation: its number is the `seq` of its first interaction. A child of the tip
-- goes on in it, a child of an inner turn opens another one. A conversation of one turn has no row
-- here; it gets one with its second turn.
-- Ids and roots are random, so each insertion into their index touches another page: the indexes
-- hold 64 bits of a hash (key_of in rows.py) and not the text, which makes them a fifth as large.
CREATE TABLE branches (
  id INTEGER PRIMARY KEY,
  root_key INTEGER NOT NULL,
  root TEXT NOT NULL,
  parent INTEGER,
  fork INTEGER
);
CREATE INDEX branches_by_root ON branches (root_key);
CREATE INDEX branches_by_parent ON branches (parent, fork) WHERE parent IS NOT NULL;

-- Everything about an interaction but its texts; those lie in pieces.
-- Times are Unix milliseconds; status is an index into STATUSES in rows.py.
-- `branch` is null in the first interaction of a branch: it is its own. `root` is null in what has
-- a parent, and where it is the id.
-- `asked` and `answered` are the first rows of two texts in `pieces`, `..._pieces` their counts.
-- Joined they are request, input, steps and replay; the sizes in bytes say where to cut. What is
-- written at once stands in `asked`; an end that comes later brings `answered`.
CREATE TABLE interactions (
  seq INTEGER PRIMARY KEY,
  id_key INTEGER NOT NULL,
  id TEXT NOT NULL,
  owner TEXT NOT NULL,
  branch INTEGER,
  depth INTEGER NOT NULL,
  root TEXT,
  root_key INTEGER,
  status INTEGER NOT NULL,
  background INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  last INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  expires INTEGER,
  parent TEXT,
  model TEXT,
  agent TEXT,
  labels TEXT,
  idempotency_key TEXT,
  fingerprint TEXT,
  asked INTEGER NOT NULL,
  asked_pieces INTEGER NOT NULL,
  request_size INTEGER NOT NULL,
  asked_size INTEGER NOT NULL,
  answered INTEGER,
  answered_pieces INTEGER,
  steps_size INTEGER,
  usage BLOB,
  errors BLOB
);
CREATE UNIQUE INDEX interactions_by_id ON interactions (id_key);
CREATE INDEX interactions_by_root ON interactions (root_key) WHERE root_key IS NOT NULL;
CREATE INDEX interactions_by_owner ON interactions (owner);
-- Completed is what most rows are: a list of those is dense in the index before.
CREATE INDEX interactions_by_status ON interactions (owner, status) WHERE status <> 3;
CREATE INDEX interactions_unended ON interactions (seq) WHERE status < 2;
CREATE UNIQUE INDEX interactions_by_branch ON interactions (branch, depth)
  WHERE branch IS NOT NULL;
CREATE INDEX interactions_by_expiry ON interactions (expires) WHERE expires IS NOT NULL;
CREATE UNIQUE INDEX interactions_by_key ON interactions (owner, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

-- Texts, cut so that pages fill up: rows of a few kilobytes in one piece would leave up to half
-- a page empty. The pieces of one text have consecutive numbers.
CREATE TABLE pieces (
  at INTEGER PRIMARY KEY,
  data BLOB NOT NULL
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
  value BLOB NOT NULL,
  PRIMARY KEY (iid, key)
) WITHOUT ROWID;

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
