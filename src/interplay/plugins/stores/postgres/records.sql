-- name: record
-- A record as it is read, its position last.
SELECT kind, id, owner, part_of, state, due, expires, created, updated, version, doc, seq
FROM interplay.records

-- name: get_record
-- One living record: kind, id, now.
{record} WHERE kind = $1 AND id = $2 AND (expires IS NULL OR expires > $3)

-- name: drop_expired_record
-- Makes room for a record in the place of an expired one: kind, id, now.
DELETE FROM interplay.records WHERE kind = $1 AND id = $2 AND expires <= $3

-- name: insert_record
-- A record; no row when it is there.
INSERT INTO interplay.records
  (kind, id, owner, part_of, state, due, expires, created, updated, version, doc)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING RETURNING seq

-- name: replace_record
-- The compare-and-set of a replacement ($10 is the version it was made to, $12 the time); no row
-- means stale.
UPDATE interplay.records SET
  owner = $3, part_of = $4, state = $5, due = $6, expires = $7, created = $8, updated = $9,
  version = $10 + 1, doc = $11
WHERE kind = $1 AND id = $2 AND version = $10 AND (expires IS NULL OR expires > $12)
RETURNING seq

-- name: delete_record
-- One record.
DELETE FROM interplay.records WHERE kind = $1 AND id = $2 RETURNING seq

-- name: delete_group
-- The records of a group.
DELETE FROM interplay.records WHERE kind = $1 AND part_of = $2 AND part_of <> '' RETURNING seq

-- name: record_page
-- The conditions every list shares: now, kind, owner, group, state, before, size.
kind = $2 AND seq < $6 AND (expires IS NULL OR expires > $1)
  AND ($3::text IS NULL OR owner = $3)
  AND ($4::text IS NULL OR part_of = $4)
  AND ($5::text IS NULL OR state = $5)
ORDER BY seq DESC LIMIT $7

-- name: records_by_group
-- What belongs together.
{record} WHERE part_of = $4 AND part_of <> '' AND {record_page}

-- name: records_by_owner
-- Everything of an owner.
{record} WHERE owner = $3 AND {record_page}

-- name: records_by_kind
-- Everything of a kind.
{record} WHERE {record_page}

-- name: due_records
-- Living ones whose time has come, the longest overdue first: now, kind, until, size.
{record} WHERE kind = $2 AND due <= $3 AND (expires IS NULL OR expires > $1)
ORDER BY due, seq LIMIT $4

-- name: count_records
-- How many living ones an owner has: now, kind, owner.
SELECT count(*) FROM interplay.records
WHERE kind = $2 AND owner = $3 AND (expires IS NULL OR expires > $1)

-- name: sweep_records
-- The expired ones, longest past first. Who sweeps at the same time takes others.
DELETE FROM interplay.records WHERE seq IN (
  SELECT seq FROM interplay.records WHERE expires <= $1 ORDER BY expires LIMIT $2
  FOR UPDATE SKIP LOCKED
) RETURNING seq
