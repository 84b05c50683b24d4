-- name: transfer_interactions
-- Ended rows above a position, with their places, at most so many.
SELECT i.seq, coalesce(i.branch, i.seq), i.depth, i.idempotency_key,
{columns}, i.request_size, i.asked_size, i.steps_size,
{asked},
{answered}
FROM interactions i {its_branch}
WHERE i.seq > ? AND i.status >= {unended} ORDER BY i.seq LIMIT ?

-- name: transfer_forks
-- Branches above a number that left another one, at most so many.
SELECT id, parent, fork FROM branches
WHERE id > ? AND parent IS NOT NULL ORDER BY id LIMIT ?

-- name: transfer_records
-- Records above a position, at most so many.
{record} WHERE seq > ? ORDER BY seq LIMIT ?

-- name: transfer_last
-- The highest positions.
SELECT (SELECT coalesce(max(seq), 0) FROM interactions),
  (SELECT coalesce(max(seq), 0) FROM records)

-- name: count_unended
-- How many have not ended.
SELECT count(*) FROM interactions WHERE status < {unended}

-- name: tally
-- How much is there of ended interactions, and of records.
SELECT
  (SELECT count(*) FROM interactions WHERE status >= {unended}),
  (SELECT coalesce(sum(length(p.data)), 0) FROM interactions i CROSS JOIN pieces p
   ON p.at >= i.asked AND p.at < i.asked + i.asked_pieces WHERE i.status >= {unended})
  + (SELECT coalesce(sum(length(p.data)), 0) FROM interactions i CROSS JOIN pieces p
     ON p.at >= i.answered AND p.at < i.answered + i.answered_pieces WHERE i.status >= {unended})
  + (SELECT coalesce(sum(coalesce(length(usage), 0) + coalesce(length(errors), 0)), 0)
     FROM interactions WHERE status >= {unended}),
  (SELECT count(*) FROM labels l JOIN interactions i ON i.seq = l.iid
   WHERE i.status >= {unended}),
  (SELECT count(*) FROM interaction_blobs b JOIN interactions i ON i.seq = b.iid
   WHERE i.status >= {unended}),
  (SELECT count(*) FROM records),
  (SELECT coalesce(sum(length(doc)), 0) FROM records)
