-- A SELECT that no shard can answer alone: rows are gathered in temporary tables.
-- template table.inc
@template table t=t_hash day={today} ai_ci={ai_ci}
@template table t=t_modulo day={today} ai_ci={ai_ci}
