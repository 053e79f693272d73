-- tables: t_hash t_both
-- SELECTs that no shard can answer alone: values of each type through temporary tables.
-- include table

-- Every type comes back as it was.
SELECT a.* FROM {t} a JOIN {t} b ON b.grp = a.grp AND b.id = 1 ORDER BY a.id;
SELECT b.* FROM {t} a RIGHT JOIN {t} b ON b.c_int = a.id ORDER BY b.id, a.id;
SELECT a.id, b.* FROM {t} a LEFT JOIN {t} b ON b.c_int = a.id ORDER BY a.id, b.id;
-- Every type compares as it did.
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_tiny = b.c_tiny AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_bigu = b.c_bigu AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_dec = b.c_dec AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_float = b.c_float AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_double = b.c_double AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_bit = b.c_bit AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_date = b.c_date AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_time = b.c_time AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_dt = b.c_dt AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_ts = b.c_ts AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_year = b.c_year AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_char = b.c_char AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_ci = b.c_ci AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_bin = b.c_bin AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_latin = b.c_latin AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_ci = b.c_latin AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_binary = b.c_binary AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_varbinary = b.c_varbinary AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_blob = b.c_blob AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_text = b.c_text AND a.id < b.id ORDER BY a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_enum = b.c_enum AND a.id < b.id ORDER BY a.c_enum, a.id, b.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.c_set = b.c_set AND a.id < b.id ORDER BY a.c_set, a.id, b.id;
SELECT a.id, a.c_enum + 0, a.c_set + 0, HEX(a.c_latin), HEX(a.c_char), COLLATION(a.c_ci), COLLATION(a.c_latin), a.c_float * 3 FROM {t} a JOIN {t} b ON a.grp = b.grp AND b.id = 1 ORDER BY a.id;
SELECT a.id, a.c_json FROM {t} a WHERE a.grp IN (SELECT b.grp FROM {t} b WHERE b.id = 4) ORDER BY a.id;
-- Expressions.
SELECT a.grp, SUM(a.c_money), AVG(a.c_double), MIN(a.c_ci), MAX(a.c_dt), COUNT(DISTINCT a.c_ci) FROM {t} a JOIN {t} b ON a.id = b.c_int GROUP BY a.grp ORDER BY a.grp;
-- ignore types warnings
SELECT BINARY x.u AS v, COUNT(*) FROM (SELECT CONCAT(c_ci, '-', c_latin) AS u, ROUND(c_double, 1) AS r, IFNULL(c_money, 0) AS m, NULL AS n FROM {t} ORDER BY id LIMIT 15) x JOIN {t} b ON b.c_money = x.m GROUP BY v ORDER BY v;
