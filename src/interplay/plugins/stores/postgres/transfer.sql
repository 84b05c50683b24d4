-- name: reserve
-- Numbers up to these are given to nobody: of interactions, of records.
SELECT
  setval('interplay.interactions_seq',
    greatest($1::bigint, (SELECT last_value FROM interplay.interactions_seq))),
  setval(pg_get_serial_sequence('interplay.records', 'seq'),
    greatest($2::bigint, (SELECT last_value FROM interplay.records_seq_seq)))

-- name: take_fork
-- A line that left another one.
INSERT INTO interplay.branches (id, parent, fork) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING

-- name: take_interaction
-- An ended row in its place.
INSERT INTO interplay.interactions (
  seq, branch, depth, epoch, attempts, id, owner, root, parent, status, background, last, worker,
  created, updated, expires, model, agent, labels, idempotency_key, fingerprint, usage, errors
) VALUES (
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
  $22, $23
) ON CONFLICT (seq) DO NOTHING

-- name: take_asked
-- Its request and input.
INSERT INTO interplay.asked (iid, request, input) VALUES ($1, $2, $3)
ON CONFLICT (iid) DO NOTHING

-- name: take_answer
-- Its answer.
INSERT INTO interplay.answers (iid, steps, replay) VALUES ($1, $2, $3)
ON CONFLICT (iid) DO NOTHING

-- name: take_label
-- One of its labels.
INSERT INTO interplay.labels (iid, owner, key, value) VALUES ($1, $2, $3, $4)
ON CONFLICT (iid, key) DO NOTHING

-- name: take_reference
-- Its claim on a blob.
INSERT INTO interplay.interaction_blobs (iid, sha256) VALUES ($1, $2)
ON CONFLICT (iid, sha256) DO NOTHING

-- name: take_record
-- A record in its place.
INSERT INTO interplay.records
  (kind, id, owner, part_of, state, due, expires, created, updated, version, doc, seq)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (seq) DO NOTHING

-- name: tally
-- How much is there of ended interactions, and of records.
SELECT
  (SELECT count(*) FROM interplay.interactions WHERE status >= {unended}),
  (SELECT coalesce(sum(
     octet_length(i.usage) + octet_length(i.errors) + octet_length(q.request)
     + octet_length(q.input) + octet_length(n.steps) + octet_length(n.replay)), 0)::bigint
   FROM interplay.interactions i {its_bodies} WHERE i.status >= {unended}),
  (SELECT count(*) FROM interplay.labels l JOIN interplay.interactions i ON i.seq = l.iid
   WHERE i.status >= {unended}),
  (SELECT count(*) FROM interplay.interaction_blobs b
   JOIN interplay.interactions i ON i.seq = b.iid WHERE i.status >= {unended}),
  (SELECT count(*) FROM interplay.records),
  (SELECT coalesce(sum(octet_length(doc)), 0)::bigint FROM interplay.records)
