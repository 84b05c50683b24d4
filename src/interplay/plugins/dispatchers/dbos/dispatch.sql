-- Every statement of the dispatcher on its own tables: a name, a sentence, the statement.
-- {name} stands for another one.

-- name: there
-- Whether our tables and the door to DBOS stand.
SELECT to_regclass('interplay_dispatch.jobs') IS NOT NULL,
  EXISTS (
    SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'interplay_dbos' AND p.proname = 'enqueue_workflow'
      AND 'application_name' = ANY (p.proargnames))

-- name: tables
-- Our tables: what there is to do, who is there, and what nobody wants any more. One process at a
-- time makes them.
BEGIN;
SELECT pg_advisory_xact_lock({gate});
CREATE SCHEMA IF NOT EXISTS interplay_dispatch;
CREATE TABLE IF NOT EXISTS interplay_dispatch.jobs (
  kind text NOT NULL,
  id text NOT NULL,
  workflow text NOT NULL,
  tier integer NOT NULL,
  due double precision NOT NULL,
  taker text NOT NULL DEFAULT '',
  tries integer NOT NULL DEFAULT 0,
  looked timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, id));
CREATE INDEX IF NOT EXISTS jobs_nobodys ON interplay_dispatch.jobs (kind, due) WHERE taker = '';
CREATE INDEX IF NOT EXISTS jobs_taken ON interplay_dispatch.jobs (taker) WHERE taker <> '';
CREATE INDEX IF NOT EXISTS jobs_looked ON interplay_dispatch.jobs (looked);
CREATE TABLE IF NOT EXISTS interplay_dispatch.executors (
  id text PRIMARY KEY,
  lock bigint NOT NULL,
  beat timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS interplay_dispatch.dropped (workflow text PRIMARY KEY);
COMMIT;

-- name: carry
-- Has DBOS carry a job by a workflow of its own: once its time has come, the lowest tier first.
interplay_dbos.enqueue_workflow(
  'interplay_job', kind, ARRAY[to_json(kind), to_json(id)],
  workflow_id => workflow, app_version => '1', application_name => 'interplay',
  priority => 1000 + tier,
  delay_until_epoch_ms => CASE WHEN due > {now} THEN ceil(due * 1000)::bigint END)

-- name: now
-- Unix seconds.
extract(epoch FROM clock_timestamp())

-- name: put
-- Adds a job and what carries it; nothing happens when the job is there.
WITH added AS (
  INSERT INTO interplay_dispatch.jobs (kind, id, workflow, tier, due) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT DO NOTHING RETURNING kind, id, workflow, tier, due)
SELECT {carry} FROM added

-- name: begin
-- A job begins to be done; no row when it was dropped, or is carried by another workflow.
UPDATE interplay_dispatch.jobs SET taker = $4, tries = tries + 1
WHERE kind = $1 AND id = $2 AND workflow = $3 RETURNING tries

-- name: done
-- A job of this taker is done.
DELETE FROM interplay_dispatch.jobs
WHERE kind = $1 AND id = $2 AND workflow = $3 AND taker = $4

-- name: again
-- A job of this taker is to be done again, carried by another workflow.
WITH moved AS (
  UPDATE interplay_dispatch.jobs
  SET workflow = $5, due = $6, tries = $7, taker = '', looked = now()
  WHERE kind = $1 AND id = $2 AND workflow = $3 AND taker = $4
  RETURNING kind, id, workflow, tier, due)
SELECT {carry} FROM moved

-- name: drop
-- Forgets a job; what carries it is noted, to be cancelled.
WITH gone AS (
  DELETE FROM interplay_dispatch.jobs WHERE kind = $1 AND id = $2 RETURNING workflow)
INSERT INTO interplay_dispatch.dropped SELECT workflow FROM gone ON CONFLICT DO NOTHING

-- name: waiting
-- How many jobs of a kind only lack a place.
SELECT count(*) FROM interplay_dispatch.jobs WHERE kind = $1 AND taker = '' AND due <= {now}

-- name: ripe
-- Those of these kinds of which a job lacks only a place.
SELECT kind FROM unnest($1::text[]) AS wanted (kind) WHERE EXISTS (
  SELECT FROM interplay_dispatch.jobs j
  WHERE j.kind = wanted.kind AND j.taker = '' AND j.due <= {now})

-- name: handed_back
-- Jobs of this taker that it gives back were not tried.
UPDATE interplay_dispatch.jobs SET taker = '', tries = greatest(tries - 1, 0)
WHERE taker = $1 AND workflow = ANY ($2::text[])

-- name: freed
-- Jobs of dead takers are nobody's.
UPDATE interplay_dispatch.jobs SET taker = '' WHERE taker = ANY ($1::text[])

-- name: undropped
-- Some of what was dropped, to be cancelled now.
DELETE FROM interplay_dispatch.dropped WHERE workflow IN (
  SELECT workflow FROM interplay_dispatch.dropped LIMIT $1) RETURNING workflow

-- name: unlooked
-- Some jobs nobody has looked at for so many seconds, and what carries them.
UPDATE interplay_dispatch.jobs j SET looked = now() FROM (
  SELECT kind, id FROM interplay_dispatch.jobs WHERE looked < now() - make_interval(secs => $1)
  ORDER BY looked LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
WHERE j.kind = old.kind AND j.id = old.id RETURNING j.kind, j.id, j.workflow

-- name: recarry
-- A job whose workflow is lost gets another one.
WITH moved AS (
  UPDATE interplay_dispatch.jobs SET workflow = $4, taker = ''
  WHERE kind = $1 AND id = $2 AND workflow = $3
  RETURNING kind, id, workflow, tier, due)
SELECT {carry} FROM moved

-- name: beat
-- A sign of life.
INSERT INTO interplay_dispatch.executors (id, lock, beat) VALUES ($1, $2, now())
ON CONFLICT (id) DO UPDATE SET beat = now()

-- name: leave
-- An executor is no more.
DELETE FROM interplay_dispatch.executors WHERE id = ANY ($1::text[])

-- name: lock
-- Takes an executor's lock for this session.
SELECT pg_try_advisory_lock($1)

-- name: turn
-- Begins a turn, which ends with its transaction.
BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s'

-- name: take_turn
-- Whether it is this session's turn.
SELECT pg_try_advisory_xact_lock($1)

-- name: unseat
-- Ends the sessions that hold a lock, but for this one.
SELECT pg_terminate_backend(pid) FROM {held} AS held
WHERE held.lock = $1 AND pid <> pg_backend_pid()

-- name: terminate
-- Ends sessions.
SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid

-- name: age
-- Seconds since the database started.
SELECT extract(epoch FROM now() - pg_postmaster_start_time())::float8

-- name: held
-- Advisory locks of this database with a 64-bit key, and the sessions that hold them.
(SELECT (classid::bigint << 32) | objid::bigint AS lock, min(pid) AS pid FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 1 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
 GROUP BY 1)

-- name: seen
-- What is seen of every executor: whether it has a row, the session that holds its lock, and the
-- seconds since its last sign of life.
SELECT e.id, true AS listed, h.pid, extract(epoch FROM now() - e.beat)::float8 AS silent
FROM interplay_dispatch.executors e LEFT JOIN {held} AS h ON h.lock = e.lock

-- name: seen_of
-- The same of these.
SELECT a.id, e.id IS NOT NULL AS listed, h.pid, extract(epoch FROM now() - e.beat)::float8 AS silent
FROM unnest($1::text[], $2::bigint[]) AS a (id, lock)
LEFT JOIN interplay_dispatch.executors e ON e.id = a.id LEFT JOIN {held} AS h ON h.lock = a.lock

-- name: tell
-- Tells every process that there is work of these kinds.
SELECT pg_notify('interplay_dispatch', kind) FROM unnest($1::text[]) AS kind
