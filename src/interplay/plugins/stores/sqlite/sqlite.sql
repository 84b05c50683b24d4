-- Every statement of the store: a name, a sentence, the statement. {name} stands for another one.

-- name: columns
-- What every row is read with.
  i.id, i.owner, coalesce(b.root, i.root, i.id), i.parent, i.status, i.model, i.agent, i.background, i.created, i.updated,
  i.expires, i.labels, i.fingerprint, i.epoch, i.last, i.attempts, i.worker, i.usage, i.errors

-- name: asked
-- The first text. Pieces come in their order, since a range is read along its key.
  (SELECT CAST(group_concat(data, '') AS BLOB) FROM pieces
   WHERE at >= i.asked AND at < i.asked + i.asked_pieces)

-- name: answered
-- The text of an end that came later; null when there is none.
  (SELECT CAST(group_concat(data, '') AS BLOB) FROM pieces
   WHERE at >= i.answered AND at < i.answered + i.answered_pieces)

-- name: its_branch
-- The branch an interaction is on; a conversation of one turn has none.
LEFT JOIN branches b ON b.id = coalesce(i.branch, i.seq)

-- name: whole
-- A row as get answers it, but for the condition.
SELECT
{columns}, i.request_size, i.asked_size, i.steps_size,
{asked},
{answered}
FROM interactions i {its_branch}

-- name: get
-- One row.
{whole} WHERE i.id_key = ? AND i.id = ?

-- name: find_key
-- The row that was created under a key.
{whole} WHERE i.owner = ? AND i.idempotency_key = ?

-- name: workers
-- The executors that hold unended rows: one look into the index for each.
WITH RECURSIVE holders (worker) AS (
  SELECT min(worker) FROM interactions WHERE status < {unended}
  UNION ALL
  SELECT (SELECT min(i.worker) FROM interactions i
          WHERE i.status < {unended} AND i.worker > h.worker)
  FROM holders h WHERE h.worker IS NOT NULL
)
SELECT worker FROM holders WHERE worker IS NOT NULL

-- name: held
-- Unended rows of an executor created before a time, oldest first.
SELECT id FROM interactions INDEXED BY interactions_unended
WHERE worker = ? AND created < ? AND status < {unended} ORDER BY created, seq LIMIT ?

-- name: lost
-- Of [key, id, epoch] in a JSON array those whose row is not there, has ended or has another epoch.
SELECT json_extract(held.value, '$[1]') FROM json_each(?) held
LEFT JOIN interactions i
  ON i.id_key = json_extract(held.value, '$[0]') AND i.id = json_extract(held.value, '$[1]')
WHERE i.seq IS NULL OR i.status >= {unended} OR i.epoch <> json_extract(held.value, '$[2]')

-- name: data_version
-- The file's count of changes, as far as others than this connection made them.
PRAGMA data_version

-- name: standing
-- Where every unended row stands.
SELECT id, last FROM interactions INDEXED BY interactions_unended WHERE status < {unended}

-- name: newer
-- What was created after a row.
SELECT seq, id FROM interactions WHERE seq > ?

-- name: newest
-- The latest row.
SELECT coalesce(max(seq), 0) FROM interactions

-- name: key_holder
-- The interaction that holds an owner's idempotency key.
SELECT seq, expires, status FROM interactions WHERE owner = ? AND idempotency_key = ?

-- name: drop_key
-- Takes the key from an expired interaction, so that it can be used again.
UPDATE interactions SET idempotency_key = NULL WHERE seq = ?

-- name: parent_place
-- Where a parent stands in its chain.
SELECT seq, branch, depth, expires, status, root FROM interactions WHERE id_key = ? AND id = ?

-- name: is_inner
-- Whether anything ever came after a turn of a branch and has left a trace. A depth may be given
-- out again once nothing above it is left: no range then reaches it by mistake.
SELECT EXISTS (SELECT 1 FROM interactions WHERE branch = :branch AND depth > :depth)
  OR EXISTS (SELECT 1 FROM branches WHERE parent = :branch AND fork > :depth)

-- name: open_branch
-- A line of a conversation; it may be there already.
INSERT OR IGNORE INTO branches (id, root_key, root, parent, fork) VALUES (?, ?, ?, ?, ?)

-- name: insert_piece
-- A piece of a text.
INSERT INTO pieces (data) VALUES (?)

-- name: insert_interaction
-- A row at its creation.
INSERT INTO interactions (
  id_key, id, owner, branch, depth, root, root_key, status, background, epoch, attempts, last, created, updated,
  expires, parent, model, agent, labels, idempotency_key, fingerprint, worker, asked, asked_pieces,
  request_size, asked_size, steps_size, usage, errors
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_label
-- A label, for lists.
INSERT INTO labels (owner, key, value, iid) VALUES (?, ?, ?, ?)

-- name: insert_blob
-- A claim on a blob; input and steps may claim the same one.
INSERT OR IGNORE INTO interaction_blobs (iid, sha256) VALUES (?, ?)

-- name: fence_of
-- The row behind an id, and its fence.
SELECT seq, status, epoch, last FROM interactions WHERE id_key = ? AND id = ?

-- name: claim
-- The next epoch; no row when the interaction is gone or has ended.
UPDATE interactions SET epoch = epoch + 1, attempts = attempts + 1, worker = ?
WHERE id_key = ? AND id = ? AND status < {unended}

-- name: release
-- Makes a row nobody's; the attempt does not count.
UPDATE interactions SET worker = '', attempts = attempts - 1
WHERE id_key = ? AND id = ? AND epoch = ? AND status < {unended} AND worker <> ''

-- name: advance
-- The compare-and-set of an append; no row means fenced.
UPDATE interactions SET last = ?
WHERE id_key = ? AND id = ? AND epoch = ? AND last = ? AND status < {unended}
RETURNING seq

-- name: finish
-- The end.
UPDATE interactions SET
  status = ?, updated = ?, last = ?, answered = ?, answered_pieces = ?, steps_size = ?,
  usage = ?, errors = ?
WHERE seq = ?

-- name: may_finish
-- Looks before the texts of the end are written; no row means fenced.
SELECT seq FROM interactions
WHERE id_key = ? AND id = ? AND epoch = ? AND last = ? AND status < {unended}

-- name: insert_event
-- One event.
INSERT INTO events (iid, seq, data) VALUES (?, ?, ?)

-- name: set_status
-- A change of status before the end; the same status again writes nothing.
UPDATE interactions SET status = :status WHERE seq = :iid AND status <> :status

-- name: delete_events
-- The end has folded them.
DELETE FROM events WHERE iid = ?

-- name: delete_memos
-- Memos go when the interaction ends.
DELETE FROM memos WHERE iid = ?

-- name: insert_memo
-- Keeps a memo.
INSERT INTO memos (iid, key, value) VALUES (?, ?, ?)
ON CONFLICT (iid, key) DO UPDATE SET value = excluded.value

-- name: memos
-- Every memo of one interaction.
SELECT key, value FROM memos
WHERE iid = (SELECT seq FROM interactions WHERE id_key = ? AND id = ?)

-- name: doomed
-- What a deletion must know.
SELECT seq, coalesce(branch, seq), owner, labels, asked, asked_pieces, answered, answered_pieces
FROM interactions WHERE id_key = ? AND id = ?

-- name: blobs_of
-- The blobs an interaction claims.
SELECT sha256 FROM interaction_blobs WHERE iid = ?

-- name: blob_claimed
-- Whether anyone claims a blob.
SELECT 1 FROM interaction_blobs WHERE sha256 = ? LIMIT 1

-- name: delete_interaction
-- The row itself.
DELETE FROM interactions WHERE seq = ?

-- name: delete_text
-- One of its texts.
DELETE FROM pieces WHERE at >= ? AND at < ?

-- name: delete_blobs
-- Its claims on blobs.
DELETE FROM interaction_blobs WHERE iid = ?

-- name: delete_label
-- One of its labels.
DELETE FROM labels WHERE owner = ? AND key = ? AND value = ? AND iid = ?

-- name: prune_branch
-- A branch nobody stands on and nobody came from.
DELETE FROM branches WHERE id = :branch
  AND NOT EXISTS (SELECT 1 FROM interactions WHERE seq = :branch)
  AND NOT EXISTS (SELECT 1 FROM interactions WHERE branch = :branch)
  AND NOT EXISTS (SELECT 1 FROM branches WHERE parent = :branch)
RETURNING parent

-- name: events
-- The events of an unfinished interaction above a number.
SELECT data FROM events
WHERE iid = (SELECT seq FROM interactions WHERE id_key = ? AND id = ?) AND seq > ? ORDER BY seq

-- name: chain
-- Every living turn from the root to an id: one range for each branch on the way, unordered.
WITH RECURSIVE path (branch, upto) AS (
  SELECT coalesce(branch, seq), depth FROM interactions
  WHERE id_key = :key AND id = :id AND (expires IS NULL OR expires > :now OR status < {unended})
  UNION ALL
  SELECT b.parent, b.fork FROM path p JOIN branches b ON b.id = p.branch
  WHERE b.parent IS NOT NULL
),
turns (seq) AS (
  SELECT branch FROM path
  UNION ALL
  SELECT i.seq FROM path p CROSS JOIN interactions i
  WHERE i.branch = p.branch AND i.depth <= p.upto
)
SELECT
  i.depth, i.id, i.status, i.request_size, i.asked_size, i.steps_size,
{asked},
{answered}
FROM turns t CROSS JOIN interactions i ON i.seq = t.seq
WHERE i.expires IS NULL OR i.expires > :now OR i.status < {unended}

-- name: expired
-- Ended rows past their time, longest past first.
SELECT id FROM interactions
WHERE expires <= ? AND status >= {unended} ORDER BY expires LIMIT ?

-- name: listed
-- A row as lists show it.
SELECT i.seq,
{columns}

-- name: page
-- The conditions every list shares.
i.owner = :owner AND i.seq < :before
  AND (i.expires IS NULL OR i.expires > :now OR i.status < {unended})
  AND (:status IS NULL OR i.status = :status)
  AND (:model IS NULL OR i.model = :model)
  AND (:agent IS NULL OR i.agent = :agent)
  AND (:root IS NULL OR coalesce(b.root, i.root, i.id) = :root)

-- name: list_by_owner
-- Everything of an owner.
{listed} FROM interactions i INDEXED BY interactions_by_owner {its_branch}
WHERE {page}
ORDER BY i.seq DESC LIMIT :size

-- name: list_by_status
-- What has one status, other than completed.
{listed} FROM interactions i INDEXED BY interactions_by_status {its_branch}
WHERE i.status = :status AND i.status <> 3 AND {page}
ORDER BY i.seq DESC LIMIT :size

-- name: list_by_root
-- One conversation with its branches.
{listed} FROM interactions i NOT INDEXED {its_branch}
WHERE i.seq IN (
    SELECT seq FROM interactions WHERE id_key = :root_key
    UNION ALL
    SELECT seq FROM interactions WHERE root_key = :root_key
    UNION ALL
    SELECT id FROM branches WHERE root_key = :root_key
    UNION ALL
    SELECT i.seq FROM branches b CROSS JOIN interactions i ON i.branch = b.id
    WHERE b.root_key = :root_key
  ) AND {page}
ORDER BY i.seq DESC LIMIT :size

-- name: list_by_label
-- What carries one label.
{listed} FROM labels l CROSS JOIN interactions i ON i.seq = l.iid {its_branch}
WHERE l.owner = :owner AND l.key = :key AND l.value = :value AND l.iid < :before AND {page}
ORDER BY l.iid DESC LIMIT :size
