-- name: put_job
-- A job; no row when it is there.
INSERT INTO interplay.jobs (kind, id, due, tier, tries, executor, ticket)
VALUES ($1, $2, $3, $4, $5, '', '') ON CONFLICT DO NOTHING RETURNING 1

-- name: take_jobs
-- Jobs of kinds ($1), of each at most so many ($2), for an executor ($3): those that are due ($4),
-- the lowest tier first, then the longest due. Each tier is a range of the index of its own, so
-- that jobs of later times are not walked over, and what others are just taking is left to them.
WITH RECURSIVE places AS (
  SELECT * FROM unnest($1::text[], $2::bigint[]) AS p (kind, places)
),
tiers (kind, tier) AS (
  SELECT p.kind, (SELECT min(j.tier) FROM interplay.jobs j
                  WHERE j.kind = p.kind AND j.executor = '') FROM places p
  UNION ALL
  SELECT t.kind, (SELECT min(j.tier) FROM interplay.jobs j
                  WHERE j.kind = t.kind AND j.executor = '' AND j.tier > t.tier)
  FROM tiers t WHERE t.tier IS NOT NULL
),
found AS MATERIALIZED (
  SELECT f.kind, f.id FROM places p CROSS JOIN LATERAL (
    SELECT d.kind, d.id FROM tiers t CROSS JOIN LATERAL (
      SELECT j.kind, j.id FROM interplay.jobs j
      WHERE j.kind = t.kind AND j.tier = t.tier AND j.executor = '' AND j.due <= $4
      ORDER BY j.due LIMIT p.places FOR UPDATE SKIP LOCKED
    ) d
    WHERE t.kind = p.kind AND t.tier IS NOT NULL
    LIMIT p.places
  ) f
)
UPDATE interplay.jobs j SET executor = $3, tries = j.tries + 1, ticket = $5
FROM found f WHERE j.kind = f.kind AND j.id = f.id
RETURNING j.kind, j.id, j.due, j.tier, j.tries

-- name: taken_with
-- What a call has taken whose answer was lost.
SELECT kind, id, due, tier, tries FROM interplay.jobs WHERE executor = $1 AND ticket = $2

-- name: delete_own_job
-- A job its taker has done.
DELETE FROM interplay.jobs WHERE kind = $1 AND id = $2 AND executor = $3 AND executor <> ''

-- name: give_back_job
-- A job its taker wants done later.
UPDATE interplay.jobs SET executor = '', ticket = '', due = $4
WHERE kind = $1 AND id = $2 AND executor = $3 AND executor <> ''

-- name: free_jobs
-- Whatever these executors have taken.
UPDATE interplay.jobs SET executor = '', ticket = ''
WHERE executor = ANY ($1::text[]) AND executor <> '' RETURNING 1

-- name: delete_job
-- A job, whoever has it.
DELETE FROM interplay.jobs WHERE kind = $1 AND id = $2

-- name: next_due
-- When the first free job of these kinds is due: one look into each tier.
WITH RECURSIVE tiers (kind, tier) AS (
  SELECT k.kind, (SELECT min(j.tier) FROM interplay.jobs j
                  WHERE j.kind = k.kind AND j.executor = '') FROM unnest($1::text[]) AS k (kind)
  UNION ALL
  SELECT t.kind, (SELECT min(j.tier) FROM interplay.jobs j
                  WHERE j.kind = t.kind AND j.executor = '' AND j.tier > t.tier)
  FROM tiers t WHERE t.tier IS NOT NULL
)
SELECT min((SELECT min(j.due) FROM interplay.jobs j
            WHERE j.kind = t.kind AND j.executor = '' AND j.tier = t.tier))
FROM tiers t

-- name: takers
-- Who has jobs.
SELECT DISTINCT executor FROM interplay.jobs WHERE executor <> ''

-- name: count_waiting
-- How many jobs of a kind are nobody's.
SELECT count(*) FROM interplay.jobs WHERE kind = $1 AND executor = ''
