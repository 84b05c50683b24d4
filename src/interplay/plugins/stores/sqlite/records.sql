-- name: record
-- A record as it is read, its position last.
SELECT kind, id, owner, part_of, state, due, expires, created, updated, version, doc, seq
FROM records

-- name: living
-- Whether it is there, as far as callers are concerned.
(expires IS NULL OR expires > :now)

-- name: get_record
-- One record.
{record} WHERE kind = :kind AND id = :id AND {living}

-- name: drop_expired_record
-- Makes room for a record in the place of an expired one.
DELETE FROM records WHERE kind = ? AND id = ? AND expires <= ?

-- name: insert_record
-- A record; nothing happens when it is there.
INSERT OR IGNORE INTO records
  (kind, id, owner, part_of, state, due, expires, created, updated, version, doc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: replace_record
-- The compare-and-set of a replacement; no row means stale.
UPDATE records SET
  owner = :owner, part_of = :part_of, state = :state, due = :due, expires = :expires,
  created = :created, updated = :updated, version = version + 1, doc = :doc
WHERE kind = :kind AND id = :id AND version = :version AND {living}

-- name: delete_record
-- One record.
DELETE FROM records WHERE kind = ? AND id = ?

-- name: delete_group
-- The records of a group.
DELETE FROM records WHERE kind = ? AND part_of = ? AND part_of <> ''

-- name: record_page
-- The conditions every list shares.
kind = :kind AND seq < :before AND {living}
  AND (:owner IS NULL OR owner = :owner)
  AND (:part_of IS NULL OR part_of = :part_of)
  AND (:state IS NULL OR state = :state)
ORDER BY seq DESC LIMIT :size

-- name: records_by_group
-- What belongs together.
{record} INDEXED BY records_by_group WHERE part_of = :part_of AND part_of <> '' AND {record_page}

-- name: records_by_owner
-- Everything of an owner.
{record} INDEXED BY records_by_owner WHERE owner = :owner AND {record_page}

-- name: records_by_kind
-- Everything of a kind; only this one sorts, as no kind with many records is listed like that.
{record} INDEXED BY records_by_id WHERE {record_page}

-- name: due_records
-- Those whose time has come.
{record} INDEXED BY records_by_due
WHERE kind = :kind AND due <= :until AND {living} ORDER BY due, seq LIMIT :size

-- name: count_records
-- How many an owner has.
SELECT count(*) FROM records INDEXED BY records_by_owner
WHERE kind = :kind AND owner = :owner AND {living}

-- name: sweep_records
-- The expired ones, longest past first.
DELETE FROM records WHERE seq IN (
  SELECT seq FROM records WHERE expires <= ? ORDER BY expires LIMIT ?
)
