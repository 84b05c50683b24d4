-- name: put_job
-- A job; nothing happens when it is there.
INSERT OR IGNORE INTO jobs (kind, id, due, tier, tries, executor) VALUES (?, ?, ?, ?, ?, '')

-- name: first_tier
-- The lowest tier above another one in which a job of a kind is nobody's.
SELECT min(tier) FROM jobs WHERE kind = ? AND executor = '' AND tier > ?

-- name: due_jobs
-- Those of a tier that are due, the longest due first.
SELECT id, due, tries FROM jobs
WHERE kind = ? AND tier = ? AND executor = '' AND due <= ? ORDER BY due LIMIT ?

-- name: take_job
-- Gives a job to an executor.
UPDATE jobs SET executor = ?, tries = tries + 1 WHERE kind = ? AND id = ?

-- name: delete_own_job
-- A job its taker has done.
DELETE FROM jobs WHERE kind = ? AND id = ? AND executor = ? AND executor <> ''

-- name: give_back_job
-- A job its taker wants done later.
UPDATE jobs SET executor = '', due = ? WHERE kind = ? AND id = ? AND executor = ? AND executor <> ''

-- name: free_jobs
-- Whatever an executor has taken.
UPDATE jobs SET executor = '' WHERE executor = ? AND executor <> ''

-- name: delete_job
-- A job, whoever has it.
DELETE FROM jobs WHERE kind = ? AND id = ?

-- name: next_due
-- When the first job of a kind that is nobody's is due: one look into each tier.
WITH RECURSIVE tiers (tier) AS (
  SELECT min(tier) FROM jobs WHERE kind = :kind AND executor = ''
  UNION ALL
  SELECT (SELECT min(j.tier) FROM jobs j
          WHERE j.kind = :kind AND j.executor = '' AND j.tier > t.tier)
  FROM tiers t WHERE t.tier IS NOT NULL
)
SELECT min((SELECT min(j.due) FROM jobs j
            WHERE j.kind = :kind AND j.executor = '' AND j.tier = t.tier))
FROM tiers t

-- name: takers
-- Who has jobs.
SELECT DISTINCT executor FROM jobs WHERE executor <> ''

-- name: count_waiting
-- How many jobs of a kind are nobody's.
SELECT count(*) FROM jobs WHERE kind = ? AND executor = ''
