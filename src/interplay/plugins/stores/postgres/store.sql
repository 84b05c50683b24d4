-- Every statement about interactions: a name, a sentence, the statement. {name} stands for
-- another one.

-- name: columns
-- What every row is read with.
  i.id, i.owner, i.root, i.parent, i.status, i.model, i.agent, i.background, i.created, i.updated,
  i.expires, i.labels, i.fingerprint, i.epoch, i.last, i.attempts, i.worker, i.usage, i.errors

-- name: bodies
-- The texts of a row; those of the answer are null until the end.
  q.request, q.input, n.steps, n.replay

-- name: its_bodies
-- Where they lie.
JOIN interplay.asked q ON q.iid = i.seq LEFT JOIN interplay.answers n ON n.iid = i.seq

-- name: get
-- One row, by its id.
SELECT
{columns},
{bodies}
FROM interplay.interactions i {its_bodies} WHERE i.id = $1

-- name: find_key
-- The row that was created under a key, by owner and key.
SELECT
{columns},
{bodies}
FROM interplay.interactions i {its_bodies} WHERE i.owner = $1 AND i.idempotency_key = $2

-- name: living
-- Whether it is there, as far as callers are concerned; $1 is the time.
(i.expires IS NULL OR i.expires > $1 OR i.status < {unended})

-- name: events
-- The events of some unfinished interactions, of each those above a number; null when it has none.
SELECT (
  SELECT array_agg(e.data ORDER BY e.seq) FROM interplay.events e
  WHERE e.iid = (SELECT i.seq FROM interplay.interactions i WHERE i.id = g.id) AND e.seq > g.after
)
FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS g (id, after, number) ORDER BY g.number

-- name: memos
-- Every memo of one interaction.
SELECT key, value FROM interplay.memos
WHERE iid = (SELECT seq FROM interplay.interactions WHERE id = $1)

-- name: chain
-- Every living turn from the root to an id ($2), unordered: one range for each branch on the way.
WITH RECURSIVE path (branch, upto) AS (
  SELECT i.branch, i.depth FROM interplay.interactions i WHERE i.id = $2 AND {living}
  UNION ALL
  SELECT b.parent, b.fork FROM path p JOIN interplay.branches b ON b.id = p.branch
)
SELECT i.depth, i.id, i.status, q.input, n.steps
FROM path p
JOIN interplay.interactions i ON i.branch = p.branch AND i.depth <= p.upto
{its_bodies}
WHERE {living}

-- name: workers
-- The executors that hold unended rows: one look into the index for each.
WITH RECURSIVE holders (worker) AS (
  SELECT min(worker) FROM interplay.interactions WHERE status < {unended}
  UNION ALL
  SELECT (SELECT min(i.worker) FROM interplay.interactions i
          WHERE i.status < {unended} AND i.worker > h.worker)
  FROM holders h WHERE h.worker IS NOT NULL
)
SELECT worker FROM holders WHERE worker IS NOT NULL

-- name: held
-- Unended rows of an executor created before a time, oldest first, at most so many.
SELECT id FROM interplay.interactions
WHERE worker = $1 AND created < $2 AND status < {unended} ORDER BY created, seq LIMIT $3

-- name: lost
-- Of ids and epochs, those whose row is not there, has ended or has another epoch.
SELECT h.id FROM unnest($1::text[], $2::bigint[]) AS h (id, epoch)
LEFT JOIN interplay.interactions i ON i.id = h.id
WHERE i.seq IS NULL OR i.status >= {unended} OR i.epoch <> h.epoch

-- name: expired
-- Ended rows past their time, longest past first, at most so many.
SELECT id FROM interplay.interactions
WHERE expires <= $1 AND status >= {unended} ORDER BY expires LIMIT $2

-- name: unreferenced
-- Those of these digests that no row refers to.
SELECT s.sha256 FROM unnest($1::bytea[]) WITH ORDINALITY AS s (sha256, number)
WHERE NOT EXISTS (SELECT 1 FROM interplay.interaction_blobs b WHERE b.sha256 = s.sha256)
ORDER BY s.number

-- name: listed
-- A row as lists show it.
SELECT i.seq,
{columns}

-- name: page
-- The conditions every list shares: now, owner, before, status, model, agent, root, size.
i.owner = $2 AND i.seq < $3 AND {living}
  AND ($4::smallint IS NULL OR i.status = $4)
  AND ($5::text IS NULL OR i.model = $5)
  AND ($6::text IS NULL OR i.agent = $6)
  AND ($7::text IS NULL OR i.root = $7)

-- name: list_by_owner
-- Everything of an owner.
{listed} FROM interplay.interactions i WHERE {page} ORDER BY i.seq DESC LIMIT $8

-- name: list_by_status
-- What has one status, other than completed.
{listed} FROM interplay.interactions i
WHERE i.status = $4 AND i.status <> 3 AND {page} ORDER BY i.seq DESC LIMIT $8

-- name: list_by_root
-- One conversation with its branches.
{listed} FROM interplay.interactions i WHERE i.root = $7 AND {page} ORDER BY i.seq DESC LIMIT $8

-- name: list_by_label
-- What carries one label, a key and a value.
{listed} FROM interplay.labels l JOIN interplay.interactions i ON i.seq = l.iid
WHERE l.owner = $2 AND l.key = $9 AND l.value = $10 AND l.iid < $3 AND {page}
ORDER BY l.iid DESC LIMIT $8

-- name: lock_parent
-- Where a parent stands in its chain. It stays there until the child is written.
SELECT branch, depth, expires, status FROM interplay.interactions WHERE id = $1
FOR NO KEY UPDATE

-- name: create
-- A row in its place, with all that comes with it. $1 and $2 are the parent's branch and depth,
-- null for a first turn. Whether the parent is an inner turn is seen at this statement's start,
-- when nobody else can give it a child: anything that came after it and has left a trace. A depth
-- may be given out again once nothing above it is left.
WITH place AS (
  SELECT nextval('interplay.interactions_seq') AS seq, $1::bigint IS NOT NULL AND (
    EXISTS (SELECT 1 FROM interplay.interactions WHERE branch = $1 AND depth > $2)
    OR EXISTS (SELECT 1 FROM interplay.branches WHERE parent = $1 AND fork > $2)
  ) AS forks
),
new AS (
  INSERT INTO interplay.interactions (
    seq, branch, depth, epoch, attempts,
    id, owner, root, parent, status, background, last, worker, created, updated, expires, model,
    agent, labels, idempotency_key, fingerprint, usage, errors
  )
  SELECT seq, CASE WHEN forks THEN seq ELSE coalesce($1, seq) END, coalesce($2::integer + 1, 0),
    1, 0, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
  FROM place
  RETURNING seq
),
fork AS (
  INSERT INTO interplay.branches (id, parent, fork) SELECT seq, $1, $2 FROM place WHERE forks
),
asked AS (
  INSERT INTO interplay.asked (iid, request, input) SELECT seq, $21, $22 FROM new
),
answer AS (
  INSERT INTO interplay.answers (iid, steps, replay)
  SELECT seq, $23::bytea, $24::bytea FROM new WHERE $23::bytea IS NOT NULL
),
labelled AS (
  INSERT INTO interplay.labels (iid, owner, key, value)
  SELECT new.seq, $4, l.key, l.value FROM new, unnest($25::text[], $26::text[]) AS l (key, value)
),
claimed AS (
  INSERT INTO interplay.interaction_blobs (iid, sha256)
  SELECT new.seq, b.sha256 FROM new, unnest($27::bytea[]) AS b (sha256) ON CONFLICT DO NOTHING
),
brought AS (
  INSERT INTO interplay.records
    (kind, id, owner, part_of, state, due, expires, created, updated, version, doc)
  SELECT r.* FROM new, unnest(
    $28::text[], $29::text[], $30::text[], $31::text[], $32::text[], $33::bigint[], $34::bigint[],
    $35::bigint[], $36::bigint[], $37::bigint[], $38::bytea[]
  ) AS r ON CONFLICT DO NOTHING
)
SELECT seq FROM new

-- name: drop_expired_key
-- Takes a key from an expired interaction, so that it can be used again: owner, key, now.
UPDATE interplay.interactions SET idempotency_key = NULL
WHERE owner = $1 AND idempotency_key = $2 AND expires <= $3 AND status >= {unended}

-- name: created_as
-- Whether a row was created just like this.
SELECT EXISTS (
  SELECT 1 FROM interplay.interactions i JOIN interplay.asked q ON q.iid = i.seq
  WHERE i.id = $1 AND i.owner = $2 AND i.parent IS NOT DISTINCT FROM $3 AND i.created = $4
    AND i.fingerprint IS NOT DISTINCT FROM $5 AND i.idempotency_key IS NOT DISTINCT FROM $6
    AND q.request = $7 AND q.input = $8
)

-- name: claim
-- The next epoch for an executor; no row when the interaction is gone or has ended.
WITH i AS (
  UPDATE interplay.interactions SET epoch = epoch + 1, attempts = attempts + 1, worker = $2
  WHERE id = $1 AND status < {unended} RETURNING *
)
SELECT
{columns},
{bodies}
FROM i {its_bodies}

-- name: release
-- Makes a row nobody's; the attempt does not count.
UPDATE interplay.interactions SET worker = '', attempts = attempts - 1
WHERE id = $1 AND epoch = $2 AND status < {unended} AND worker <> ''

-- name: append
-- Appends of many interactions, each id once: a compare-and-set of each row, and the events of
-- those rows where it held. Answers the numbers of these in the batch.
WITH given AS (
  SELECT * FROM unnest(
    $1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[]
  ) AS g (number, id, epoch, last, upto, status)
),
moved AS (
  UPDATE interplay.interactions i SET last = g.upto, status = coalesce(g.status, i.status)
  FROM given g
  WHERE i.id = g.id AND i.epoch = g.epoch AND i.last = g.last AND i.status < {unended}
  RETURNING i.seq, g.number
),
written AS (
  INSERT INTO interplay.events (iid, seq, data)
  SELECT m.seq, e.seq, e.data
  FROM unnest($7::integer[], $8::bigint[], $9::bytea[]) AS e (number, seq, data)
  JOIN moved m USING (number)
)
SELECT number FROM moved

-- name: finish
-- Ends of many interactions, each id once; answers the numbers of those that held.
WITH given AS (
  SELECT * FROM unnest(
    $1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[],
    $7::bigint[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[]
  ) AS g (number, id, epoch, last, upto, status, updated, steps, replay, usage, errors)
),
ended AS (
  UPDATE interplay.interactions i SET
    last = g.upto, status = g.status, updated = g.updated, usage = g.usage, errors = g.errors
  FROM given g
  WHERE i.id = g.id AND i.epoch = g.epoch AND i.last = g.last AND i.status < {unended}
  RETURNING i.seq, g.number, g.steps, g.replay
),
answered AS (
  INSERT INTO interplay.answers (iid, steps, replay) SELECT seq, steps, replay FROM ended
),
folded AS (
  DELETE FROM interplay.events e USING ended d WHERE e.iid = d.seq
),
forgotten AS (
  DELETE FROM interplay.memos m USING ended d WHERE m.iid = d.seq
),
claimed AS (
  INSERT INTO interplay.interaction_blobs (iid, sha256)
  SELECT d.seq, b.sha256 FROM unnest($12::integer[], $13::bytea[]) AS b (number, sha256)
  JOIN ended d USING (number)
  ON CONFLICT DO NOTHING
),
brought AS (
  INSERT INTO interplay.records
    (kind, id, owner, part_of, state, due, expires, created, updated, version, doc)
  SELECT r.kind, r.id, r.owner, r.part_of, r.state, r.due, r.expires, r.created, r.updated,
    r.version, r.doc
  FROM unnest(
    $14::integer[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
    $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bytea[]
  ) AS r (
    number, kind, id, owner, part_of, state, due, expires, created, updated, version, doc
  )
  JOIN ended d USING (number)
  ON CONFLICT DO NOTHING
)
SELECT number FROM ended

-- name: standing
-- Where a row stands that refused an append made from $2: its fence and what came after.
SELECT i.status, i.epoch, i.last, ARRAY (
  SELECT e.data FROM interplay.events e WHERE e.iid = i.seq AND e.seq > $2 ORDER BY e.seq
)
FROM interplay.interactions i WHERE i.id = $1

-- name: ended_as
-- Whether a row has ended just like this.
SELECT EXISTS (
  SELECT 1 FROM interplay.interactions i JOIN interplay.answers n ON n.iid = i.seq
  WHERE i.id = $1 AND i.epoch = $2 AND i.last = $3 AND i.status = $4 AND i.updated = $5
    AND n.steps = $6
)

-- name: status_of
-- The status behind an id.
SELECT status FROM interplay.interactions WHERE id = $1

-- name: remember
-- Keeps a memo ($3 under $2), if the row has not ended and $4 is its epoch or null.
INSERT INTO interplay.memos (iid, key, value)
SELECT seq, $2, $3 FROM interplay.interactions
WHERE id = $1 AND status < {unended} AND ($4::integer IS NULL OR epoch = $4)
FOR UPDATE
ON CONFLICT (iid, key) DO UPDATE SET value = excluded.value
RETURNING iid

-- name: doom
-- What a deletion must know. Nobody changes the row or gives it a child from here on.
SELECT seq, branch FROM interplay.interactions WHERE id = $1 FOR UPDATE

-- name: lock_branch
-- Deletions on one branch go one after the other, so that the last one sees that it is empty.
SELECT 1 FROM interplay.branches WHERE id = $1 FOR UPDATE

-- name: delete
-- Everything of a row; the digests it claimed.
WITH row AS (DELETE FROM interplay.interactions WHERE seq = $1),
asked AS (DELETE FROM interplay.asked WHERE iid = $1),
answer AS (DELETE FROM interplay.answers WHERE iid = $1),
events AS (DELETE FROM interplay.events WHERE iid = $1),
memos AS (DELETE FROM interplay.memos WHERE iid = $1),
labels AS (DELETE FROM interplay.labels WHERE iid = $1)
DELETE FROM interplay.interaction_blobs WHERE iid = $1 RETURNING sha256

-- name: prune_branch
-- A branch nobody stands on and nobody came from; answers where it came from.
DELETE FROM interplay.branches WHERE id = $1
  AND NOT EXISTS (SELECT 1 FROM interplay.interactions WHERE branch = $1)
  AND NOT EXISTS (SELECT 1 FROM interplay.branches WHERE parent = $1)
RETURNING parent

-- name: tell
-- News for those who listen: a channel, and what to say there. Nothing is written, so nobody waits
-- for a disk.
SELECT pg_notify($1, payload)
FROM set_config('synchronous_commit', 'off', true), unnest($2::text[]) AS payload
