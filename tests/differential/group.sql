-- tables: t_single t_broadcast t_hash t_ring t_range t_list t_time t_phys t_both t_text
-- Aggregates over each type, groups by each type.
-- include table

SELECT COUNT(*), COUNT(c_int), COUNT(1), COUNT(NULL) FROM {t};
SELECT COUNT(*) FROM {t} WHERE id = 4;
SELECT COUNT(*) FROM {t} WHERE id = 999;
SELECT SUM(id), AVG(id), MIN(id), MAX(id) FROM {t};
SELECT SUM(id), AVG(id), MIN(id), MAX(id), COUNT(id) FROM {t} WHERE id = 999;
SELECT SUM(c_tiny), AVG(c_tiny), MIN(c_tiny), MAX(c_tiny) FROM {t};
SELECT SUM(c_tinyu), AVG(c_tinyu), MIN(c_tinyu), MAX(c_tinyu) FROM {t};
SELECT SUM(c_small), AVG(c_small), MIN(c_small), MAX(c_small) FROM {t};
SELECT SUM(c_smallu), AVG(c_smallu), MIN(c_smallu), MAX(c_smallu) FROM {t};
SELECT SUM(c_med), AVG(c_med), MIN(c_med), MAX(c_med) FROM {t};
SELECT SUM(c_medu), AVG(c_medu), MIN(c_medu), MAX(c_medu) FROM {t};
SELECT SUM(c_int), AVG(c_int), MIN(c_int), MAX(c_int) FROM {t};
SELECT SUM(c_intu), AVG(c_intu), MIN(c_intu), MAX(c_intu) FROM {t};
SELECT SUM(c_big), AVG(c_big), MIN(c_big), MAX(c_big) FROM {t};
SELECT SUM(c_bigu), AVG(c_bigu), MIN(c_bigu), MAX(c_bigu) FROM {t};
SELECT SUM(c_dec), AVG(c_dec), MIN(c_dec), MAX(c_dec) FROM {t};
SELECT SUM(c_money), AVG(c_money), MIN(c_money), MAX(c_money) FROM {t};
SELECT SUM(c_float), AVG(c_float), MIN(c_float), MAX(c_float) FROM {t};
SELECT SUM(c_double), AVG(c_double), MIN(c_double), MAX(c_double) FROM {t};
SELECT SUM(c_bit), MIN(c_bit), MAX(c_bit) FROM {t};
SELECT SUM(c_bool), AVG(c_bool), MIN(c_bool), MAX(c_bool) FROM {t};
SELECT MIN(c_date), MAX(c_date), COUNT(c_date) FROM {t};
SELECT MIN(c_time), MAX(c_time) FROM {t};
SELECT MIN(c_dt), MAX(c_dt) FROM {t};
SELECT MIN(c_ts), MAX(c_ts) FROM {t};
SELECT MIN(c_year), MAX(c_year), SUM(c_year) FROM {t};
SELECT MIN(c_bin), MAX(c_bin) FROM {t};
SELECT MIN(code), MAX(code) FROM {t};
SELECT MIN(c_latin) FROM {t} WHERE id IN (1, 7, 11);
SELECT MIN(c_binary), MAX(c_binary), MIN(c_varbinary), MAX(c_varbinary) FROM {t};
SELECT MIN(c_blob), MAX(c_blob) FROM {t};
SELECT MAX(c_text) FROM {t};
SELECT MIN(c_enum), MAX(c_enum) FROM {t};
SELECT MIN(c_set), MAX(c_set) FROM {t};
SELECT BIT_AND(c_tinyu), BIT_OR(c_tinyu), BIT_XOR(c_tinyu) FROM {t};
SELECT SUM(id) + 1, MAX(id) - MIN(id), COUNT(*) * 2 AS twice FROM {t};
SELECT AVG(id) * 2, ROUND(AVG(c_money), 1) FROM {t};
SELECT SUM(id * grp), SUM(id) / COUNT(*) FROM {t};
SELECT SUM(CASE WHEN grp = 1 THEN 1 ELSE 0 END) AS ones FROM {t};
SELECT COUNT(DISTINCT grp), COUNT(DISTINCT id) FROM {t};
SELECT COUNT(DISTINCT c_ci) FROM {t};
SELECT COUNT(DISTINCT c_bin), COUNT(DISTINCT c_int, c_big) FROM {t};
SELECT SUM(DISTINCT grp), AVG(DISTINCT grp) FROM {t};
SELECT COUNT(DISTINCT grp) FROM {t} WHERE id = 4;
SELECT GROUP_CONCAT(id ORDER BY id) FROM {t};
SELECT GROUP_CONCAT(code ORDER BY id DESC SEPARATOR '|') FROM {t} WHERE id < 6;
SELECT grp, GROUP_CONCAT(DISTINCT c_int ORDER BY c_int) FROM {t} GROUP BY grp ORDER BY grp;
SELECT STDDEV_POP(grp) IS NULL, VAR_SAMP(grp) > 0 FROM {t};

-- Groups.
SELECT grp, COUNT(*) FROM {t} GROUP BY grp;
SELECT grp, COUNT(*) FROM {t} GROUP BY grp ORDER BY grp;
SELECT grp, COUNT(*) AS n FROM {t} GROUP BY grp ORDER BY n DESC, grp;
SELECT grp, SUM(id), AVG(id), MIN(c_dec), MAX(c_dt) FROM {t} GROUP BY grp ORDER BY grp DESC;
SELECT grp, COUNT(*) FROM {t} GROUP BY 1 ORDER BY 1 LIMIT 2;
SELECT grp AS g, COUNT(*) FROM {t} GROUP BY g ORDER BY g LIMIT 1, 2;
SELECT COUNT(*) FROM {t} GROUP BY grp ORDER BY grp;
SELECT COUNT(*) FROM {t} GROUP BY grp ORDER BY MAX(id), COUNT(*);
SELECT grp, day, COUNT(*) FROM {t} GROUP BY grp, day ORDER BY grp, day;
SELECT grp FROM {t} GROUP BY grp ORDER BY SUM(id) DESC;
SELECT id, COUNT(*) FROM {t} GROUP BY id ORDER BY id;
SELECT id, grp, day, code, COUNT(*) FROM {t} GROUP BY id, grp, day, code ORDER BY id;
SELECT grp, COUNT(*) FROM {t} GROUP BY grp HAVING COUNT(*) > 3 ORDER BY grp;
SELECT grp, COUNT(*) AS n FROM {t} GROUP BY grp HAVING n > 3 AND grp < 4 ORDER BY grp;
SELECT grp, SUM(id) FROM {t} GROUP BY grp HAVING AVG(id) > 9 ORDER BY grp;
SELECT grp, COUNT(*) FROM {t} WHERE id > 5 GROUP BY grp HAVING MAX(id) < 19 ORDER BY grp;
SELECT grp % 2 AS odd, COUNT(*) FROM {t} GROUP BY grp % 2 ORDER BY odd;
SELECT grp % 2 AS odd, COUNT(*) FROM {t} GROUP BY odd ORDER BY odd;
SELECT YEAR(c_date) AS y, COUNT(*) FROM {t} WHERE id < 6 GROUP BY y ORDER BY y;
SELECT grp, COUNT(*) FROM {t} WHERE grp = 3 GROUP BY grp;
SELECT grp, COUNT(*) FROM {t} WHERE id = 4 GROUP BY grp;
SELECT grp, COUNT(*) FROM {t} WHERE id = 999 GROUP BY grp;
SELECT c_tiny, COUNT(*) FROM {t} GROUP BY c_tiny ORDER BY c_tiny;
SELECT c_tinyu, COUNT(*) FROM {t} GROUP BY c_tinyu ORDER BY c_tinyu DESC;
SELECT c_int, COUNT(*), SUM(c_big) FROM {t} WHERE id > 5 GROUP BY c_int ORDER BY c_int;
SELECT c_big, COUNT(*) FROM {t} GROUP BY c_big ORDER BY c_big;
SELECT c_bigu, COUNT(*) FROM {t} GROUP BY c_bigu ORDER BY c_bigu;
SELECT c_dec, COUNT(*) FROM {t} GROUP BY c_dec ORDER BY c_dec;
SELECT c_money, COUNT(*) FROM {t} GROUP BY c_money ORDER BY c_money;
SELECT c_float, COUNT(*) FROM {t} GROUP BY c_float ORDER BY c_float;
SELECT c_double, COUNT(*) FROM {t} GROUP BY c_double ORDER BY c_double;
SELECT c_bit, COUNT(*) FROM {t} GROUP BY c_bit ORDER BY c_bit;
SELECT c_bool, COUNT(*) FROM {t} GROUP BY c_bool ORDER BY c_bool;
SELECT c_date, COUNT(*) FROM {t} GROUP BY c_date ORDER BY c_date;
SELECT c_time, COUNT(*) FROM {t} GROUP BY c_time ORDER BY c_time;
SELECT c_dt, COUNT(*) FROM {t} GROUP BY c_dt ORDER BY c_dt;
SELECT c_ts, COUNT(*) FROM {t} GROUP BY c_ts ORDER BY c_ts;
SELECT c_year, COUNT(*) FROM {t} GROUP BY c_year ORDER BY c_year;
SELECT c_bin, COUNT(*) FROM {t} WHERE id <> 15 GROUP BY c_bin ORDER BY c_bin;
SELECT c_binary, COUNT(*) FROM {t} GROUP BY c_binary ORDER BY c_binary;
SELECT c_varbinary, COUNT(*) FROM {t} GROUP BY c_varbinary ORDER BY c_varbinary;
SELECT c_blob, COUNT(*) FROM {t} GROUP BY c_blob ORDER BY c_blob;
SELECT c_enum, COUNT(*) FROM {t} GROUP BY c_enum ORDER BY c_enum;
SELECT c_set, COUNT(*) FROM {t} GROUP BY c_set ORDER BY c_set;
-- Which of two equal texts stands for the group is open; their number is not.
SELECT COUNT(*), SUM(id) FROM {t} GROUP BY c_ci ORDER BY c_ci;
SELECT COUNT(*), SUM(id) FROM {t} GROUP BY c_char ORDER BY c_char;
SELECT COUNT(*), SUM(id) FROM {t} GROUP BY c_latin ORDER BY c_latin;
SELECT COUNT(*), SUM(id) FROM {t} GROUP BY c_text ORDER BY c_text;
SELECT LOWER(MIN(c_ci)), COUNT(*) FROM {t} WHERE id IN (1, 4, 5, 7, 8) GROUP BY c_ci ORDER BY c_ci;
SELECT grp, COUNT(*) FROM {t} GROUP BY grp WITH ROLLUP;
-- only mysql
SELECT ANY_VALUE(grp) AS g FROM {t} WHERE id = 4;

-- Distinct.
SELECT DISTINCT grp FROM {t};
SELECT DISTINCT grp FROM {t} ORDER BY grp DESC;
SELECT DISTINCT grp FROM {t} ORDER BY grp LIMIT 2;
SELECT DISTINCT grp, day FROM {t} ORDER BY grp, day;
SELECT DISTINCT c_int FROM {t} ORDER BY c_int;
SELECT DISTINCT c_dec FROM {t};
SELECT DISTINCT c_double FROM {t};
SELECT DISTINCT c_bin FROM {t} WHERE id <> 15;
SELECT DISTINCT c_dt, c_year FROM {t};
SELECT DISTINCT c_enum, c_set FROM {t};
-- Shards sort what is distinct, and MariaDB then answers BIT as BIGINT.
SELECT DISTINCT c_bit FROM {t};
SELECT DISTINCT id % 3 AS r FROM {t} ORDER BY r;
SELECT DISTINCT COUNT(*) FROM {t} GROUP BY grp ORDER BY 1;
SELECT DISTINCT id FROM {t} WHERE id = 4;
SELECT DISTINCTROW grp FROM {t} ORDER BY grp;

-- Mistakes.
-- error 1111
SELECT id FROM {t} WHERE SUM(id) > 1;
-- error 1056 1111
SELECT COUNT(*) AS n FROM {t} GROUP BY n;
-- only mysql
-- error 1055
SELECT id, COUNT(*) FROM {t} GROUP BY grp;
-- error 1054
SELECT grp FROM {t} GROUP BY nothing;
DROP TABLE {t};
