-- Every statement of the store: a name, a sentence, the statement. {name} stands for another one.

-- name: whole
-- A row as get answers it, but for the condition.
SELECT
  i.id, i.owner, b.root, i.parent, i.status, i.model, i.agent, i.background, i.created, i.updated,
  i.expires, i.labels, i.fingerprint, coalesce(a.epoch, r.epoch), coalesce(a.last, r.last),
  coalesce(a.attempts, r.attempts), a.usage, a.errors, a.replay, a.steps, i.request, i.input
FROM interactions i
JOIN branches b ON b.id = i.branch
LEFT JOIN answers a ON a.iid = i.seq
LEFT JOIN running r ON r.iid = i.seq

-- name: get
-- One row.
{whole} WHERE i.id = ?1

-- name: find_key
-- The row that was created under a key.
{whole} WHERE i.owner = ?1 AND i.idempotency_key = ?2

-- name: unfinished
-- Every row that has not ended, oldest first.
{whole} WHERE i.seq IN (SELECT iid FROM running) ORDER BY i.seq

-- name: key_holder
-- The interaction that holds an owner's idempotency key.
SELECT seq, expires, status FROM interactions WHERE owner = ?1 AND idempotency_key = ?2

-- name: drop_key
-- Takes the key from an expired interaction, so that it can be used again.
UPDATE interactions SET idempotency_key = NULL WHERE seq = ?1

-- name: parent_place
-- Where a parent stands in its chain.
SELECT branch, depth, expires, status FROM interactions WHERE id = ?1

-- name: grow_branch
-- Takes the depth after the tip; no row when the parent is an inner turn.
UPDATE branches SET high = high + 1 WHERE id = ?1 AND high = ?2

-- name: open_branch
-- A new line of a conversation.
INSERT INTO branches (root, parent, fork, high) VALUES (?1, ?2, ?3, ?4)

-- name: insert_interaction
-- A row at its creation.
INSERT INTO interactions (
  id, owner, branch, depth, status, background, created, updated, expires, parent, model, agent,
  labels, idempotency_key, fingerprint, request, input
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_label
-- A label, for lists.
INSERT INTO labels (owner, key, value, iid) VALUES (?, ?, ?, ?)

-- name: insert_blob
-- A claim on a blob; input and steps may claim the same one.
INSERT OR IGNORE INTO interaction_blobs (iid, sha256) VALUES (?, ?)

-- name: insert_running
-- The fence of a new interaction.
INSERT INTO running (iid, epoch, attempts, last) VALUES (?1, 1, 0, -1)

-- name: insert_answer
-- The end of an interaction.
INSERT INTO answers (iid, epoch, attempts, last, usage, errors, replay, steps)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: seq_of
-- The row behind an id.
SELECT seq, status FROM interactions WHERE id = ?1

-- name: claim
-- The next epoch; no row when the interaction is gone or has ended.
UPDATE running SET epoch = epoch + 1, attempts = attempts + 1
WHERE iid = (SELECT seq FROM interactions WHERE id = ?1)

-- name: advance
-- The compare-and-set of an append; no row means fenced.
UPDATE running SET last = ?4
WHERE iid = (SELECT seq FROM interactions WHERE id = ?1) AND epoch = ?2 AND last = ?3
RETURNING iid

-- name: finish
-- The compare-and-set of the last append; no row means fenced.
DELETE FROM running
WHERE iid = (SELECT seq FROM interactions WHERE id = ?1) AND epoch = ?2 AND last = ?3
RETURNING iid, attempts

-- name: insert_event
-- One event.
INSERT INTO events (iid, seq, data) VALUES (?, ?, ?)

-- name: set_status
-- A change of status before the end; the same status again writes nothing.
UPDATE interactions SET status = ?2 WHERE seq = ?1 AND status <> ?2

-- name: set_end
-- The status at the end; the row keeps its size.
UPDATE interactions SET status = ?2, updated = ?3 WHERE seq = ?1

-- name: delete_events
-- The end has folded them.
DELETE FROM events WHERE iid = ?1

-- name: delete_memos
-- Memos go when the interaction ends.
DELETE FROM memos WHERE iid = ?1

-- name: epoch_of
-- The fence before a memo.
SELECT epoch FROM running WHERE iid = ?1

-- name: insert_memo
-- Keeps a memo.
INSERT INTO memos (iid, key, value) VALUES (?1, ?2, ?3)
ON CONFLICT (iid, key) DO UPDATE SET value = excluded.value

-- name: memos
-- Every memo of one interaction.
SELECT key, value FROM memos WHERE iid = (SELECT seq FROM interactions WHERE id = ?1)

-- name: doomed
-- What a deletion must know.
SELECT seq, branch, owner, labels FROM interactions WHERE id = ?1

-- name: blobs_of
-- The blobs an interaction claims.
SELECT sha256 FROM interaction_blobs WHERE iid = ?1

-- name: blob_claimed
-- Whether anyone claims a blob.
SELECT 1 FROM interaction_blobs WHERE sha256 = ?1 LIMIT 1

-- name: delete_interaction
-- The row itself.
DELETE FROM interactions WHERE seq = ?1

-- name: delete_answer
-- Its answer.
DELETE FROM answers WHERE iid = ?1

-- name: delete_running
-- Its fence.
DELETE FROM running WHERE iid = ?1

-- name: delete_blobs
-- Its claims on blobs.
DELETE FROM interaction_blobs WHERE iid = ?1

-- name: delete_label
-- One of its labels.
DELETE FROM labels WHERE owner = ?1 AND key = ?2 AND value = ?3 AND iid = ?4

-- name: prune_branch
-- A branch nobody stands on and nobody came from.
DELETE FROM branches WHERE id = ?1
  AND NOT EXISTS (SELECT 1 FROM interactions WHERE branch = ?1)
  AND NOT EXISTS (SELECT 1 FROM branches WHERE parent = ?1)
RETURNING parent

-- name: events
-- The events of an unfinished interaction above a number.
SELECT data FROM events
WHERE iid = (SELECT seq FROM interactions WHERE id = ?1) AND seq > ?2 ORDER BY seq

-- name: chain
-- Every living turn from the root to an id: one range for each branch on the way, unordered.
WITH RECURSIVE path (branch, upto) AS (
  SELECT branch, depth FROM interactions
  WHERE id = ?1 AND (expires IS NULL OR expires > ?2 OR status < {unended})
  UNION ALL
  SELECT b.parent, b.fork FROM path p JOIN branches b ON b.id = p.branch
  WHERE b.parent IS NOT NULL
)
SELECT i.depth, i.id, i.status, i.input, a.steps
FROM path p
CROSS JOIN interactions i ON i.branch = p.branch AND i.depth <= p.upto
LEFT JOIN answers a ON a.iid = i.seq
WHERE i.expires IS NULL OR i.expires > ?2 OR i.status < {unended}

-- name: expired
-- Ended rows past their time, longest past first.
SELECT id FROM interactions
WHERE expires <= ?1 AND status >= {unended} ORDER BY expires LIMIT ?2

-- name: listed
-- A row as lists show it.
SELECT
  i.seq, i.id, i.owner, b.root, i.parent, i.status, i.model, i.agent, i.background, i.created,
  i.updated, i.expires, i.labels, i.fingerprint, coalesce(a.epoch, r.epoch),
  coalesce(a.last, r.last), coalesce(a.attempts, r.attempts), a.usage, a.errors

-- name: listed_parts
-- What a listed row is joined from.
JOIN branches b ON b.id = i.branch
LEFT JOIN answers a ON a.iid = i.seq
LEFT JOIN running r ON r.iid = i.seq

-- name: page
-- The conditions every list shares, and its end.
i.owner = :owner AND i.seq < :before
  AND (i.expires IS NULL OR i.expires > :now OR i.status < {unended})
  AND (:status IS NULL OR i.status = :status)
  AND (:model IS NULL OR i.model = :model)
  AND (:agent IS NULL OR i.agent = :agent)
  AND (:root IS NULL OR b.root = :root)
ORDER BY i.seq DESC LIMIT :size


-- name: list_by_owner
-- Everything of an owner.
{listed} FROM interactions i INDEXED BY interactions_by_owner {listed_parts} WHERE {page}

-- name: list_by_status
-- What has one status.
{listed} FROM interactions i INDEXED BY interactions_by_status {listed_parts}
WHERE i.status = :status AND {page}

-- name: list_by_root
-- One conversation with its branches.
{listed} FROM interactions i INDEXED BY interactions_by_branch {listed_parts}
WHERE i.branch IN (SELECT id FROM branches WHERE root = :root) AND {page}

-- name: list_by_label
-- What carries one label.
{listed} FROM labels l CROSS JOIN interactions i ON i.seq = l.iid {listed_parts}
WHERE l.owner = :owner AND l.key = :key AND l.value = :value AND l.iid < :before AND {page}
