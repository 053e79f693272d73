-- One statement, again and again, for sysbench. `shape` names it, `table` is its table, of `rows` rows.

sysbench.cmdline.options = {
   shape = {"Which statement", "point"},
   table = {"Table", "whole"},
   rows = {"Rows of the table", 1000000},
}

-- A text, and how many ids in a row it reads from a place chosen at random. None: all of the table.
local shapes = {
   point = {"SELECT c FROM %s WHERE id = ?", 1},
   range100 = {"SELECT c FROM %s WHERE id BETWEEN ? AND ?", 100},
   rows10000 = {"SELECT id, k, c, pad FROM %s WHERE id BETWEEN ? AND ?", 10000},
   group = {"SELECT k %% 100 AS part, COUNT(*), SUM(k), MAX(id) FROM %s GROUP BY part", nil},
   order = {"SELECT id, k, c FROM %s ORDER BY k %% 1000, id LIMIT 100", nil},
}

function thread_init()
   drv = sysbench.sql.driver()
   con = drv:connect()
   local shape = shapes[sysbench.opt.shape]
   assert(shape, "no shape " .. sysbench.opt.shape)
   span = shape[2]
   stmt = con:prepare(string.format(shape[1], sysbench.opt.table))
   if span then
      first = stmt:bind_create(sysbench.sql.type.INT)
      if span == 1 then
         stmt:bind_param(first)
      else
         last = stmt:bind_create(sysbench.sql.type.INT)
         stmt:bind_param(first, last)
      end
   end
end

function event()
   if span then
      -- Never over the border of two shards, which are at multiples of the span.
      local at = sysbench.rand.uniform(0, math.floor(sysbench.opt.rows / span) - 1) * span
      first:set(at)
      if last then
         last:set(at + span - 1)
      end
   end
   stmt:execute()
end

function thread_done()
   stmt:close()
   con:disconnect()
end
