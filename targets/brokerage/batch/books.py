"""What the tables of the night's work and of its repairs give to the database's book."""

from __future__ import annotations

from targets.brokerage.databasebook import Query

RUNS: Query = """SELECT 'batch-job' AS kind, started_ns AS t_ns, job || '/' || attempt AS id, job, state, started_ns,
    ended_ns, taken, given, rejected, attempt FROM batch_runs ORDER BY started_ns, job, attempt"""
MARKED: Query = """SELECT 'marked' AS kind, done_ns AS t_ns, account || '/' || day AS id, account, day::text AS day
    FROM batch_done WHERE job = 'mark-to-market' ORDER BY account, day"""
ADJUSTMENTS: Query = """SELECT 'adjustment' AS kind, mono_ns AS t_ns, reference AS id, account, reference, reason,
    request, approver, yen FROM adjustments ORDER BY mono_ns"""

QUERIES = (RUNS, MARKED, ADJUSTMENTS)
