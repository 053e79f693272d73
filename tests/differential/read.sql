-- tables: t_single t_other t_broadcast t_hash t_modulo t_ring t_range t_list t_time t_phys t_both t_text
-- Reads of a table with each type of column, in each kind of table.
-- include table

-- One row, by the key or by something else.
SELECT * FROM {t} WHERE id = 1;
SELECT * FROM {t} WHERE id = 2;
SELECT * FROM {t} WHERE id = 3;
SELECT id, code FROM {t} WHERE id = '4';
SELECT id, code FROM {t} WHERE id = 4.0;
SELECT id, code FROM {t} WHERE id = 0x04;
SELECT id, code FROM {t} WHERE id = 4e0;
-- MariaDB rounds the value for its index, and finds 5.
-- only mysql
SELECT id, code FROM {t} WHERE id = 4.5;
SELECT id, code FROM {t} WHERE 4 = id;
SELECT id, code FROM {t} WHERE id = 2 + 2;
SELECT id, code FROM {t} WHERE id = -(-4);
SELECT id, code FROM {t} WHERE id = TRUE;
SELECT id, code FROM {t} WHERE id = NULL;
SELECT id, code FROM {t} WHERE id <=> 4;
SELECT id, code FROM {t} WHERE id <=> NULL;
SELECT id, code FROM {t} WHERE id = 99999;
SELECT id, code FROM {t} WHERE id = -5;
SELECT id, code FROM {t} WHERE id = 99999999999999999999;
SELECT id, code FROM {t} WHERE id = 4 AND grp = 3 AND day = '{day}' AND code = 'four';
SELECT id, code FROM {t} WHERE id = 4 AND id = 5;
SELECT id, code FROM {t} WHERE id = 4 OR id = 5;
SELECT id, code FROM {t} WHERE (id = 4 OR id = 5) AND grp = 3;
SELECT id, code FROM {t} WHERE NOT id <> 4;
SELECT id, code FROM {t} WHERE NOT (id < 4 OR id > 4);
SELECT id, code FROM {t} WHERE id IN (4);
SELECT id, code FROM {t} WHERE id IN (1, 4, 4, 999);
SELECT id, code FROM {t} WHERE id IN ('1', 4.0, NULL);
SELECT id, code FROM {t} WHERE id NOT IN (1, 2, 3);
SELECT id, code FROM {t} WHERE id NOT IN (1, NULL);
SELECT id, code FROM {t} WHERE (id, grp) = (4, 3);
SELECT id, code FROM {t} WHERE (id, grp) IN ((4, 3), (5, 4), (5, 5));
SELECT id, code FROM {t} WHERE id BETWEEN 3 AND 6;
SELECT id, code FROM {t} WHERE id NOT BETWEEN 3 AND 18;
SELECT id, code FROM {t} WHERE id > 17;
SELECT id, code FROM {t} WHERE id >= 5 AND id < 8;
SELECT id, code FROM {t} WHERE 5 < id AND 8 >= id;
SELECT id, code FROM {t} WHERE id > 5 AND id < 3;
SELECT id, code FROM {t} WHERE grp = 3;
SELECT id, code FROM {t} WHERE grp IN (0, 4) AND id > 4;
SELECT id, code FROM {t} WHERE grp = 3 OR id = 1;
SELECT id, code FROM {t} WHERE grp XOR id = 1;
SELECT id, code FROM {t} WHERE day = '{day}';
SELECT id, code FROM {t} WHERE day >= '{day-1}' AND day < '{day+1}';
SELECT id, code FROM {t} WHERE day BETWEEN '{day-2}' AND '{day-1}';
SELECT id, code FROM {t} WHERE day = '{day} 00:00:00';
SELECT id, code FROM {t} WHERE day = DATE '{day}';
SELECT id, code FROM {t} WHERE code = 'one';
SELECT id, code FROM {t} WHERE code = 'ONE';
SELECT id, code FROM {t} WHERE code = 'öne';
SELECT id, code FROM {t} WHERE code = 'thirteen';
SELECT id, code FROM {t} WHERE code = 'it''s';
SELECT id, code FROM {t} WHERE code = 'it\'s';
SELECT id, code FROM {t} WHERE code = "it's";
SELECT id, code FROM {t} WHERE code = 'back\\slash';
SELECT id, code FROM {t} WHERE code = 'f' 'our';
SELECT id, code FROM {t} WHERE code = '';
SELECT id, code FROM {t} WHERE code = x'6f6e65';
SELECT id, code FROM {t} WHERE code = _utf8mb4'one';
-- A warning about the statement comes from each shard.
-- ignore warnings
SELECT id, code FROM {t} WHERE code = N'one';
SELECT id, code FROM {t} WHERE code IN ('One', 'TWO');
SELECT id, code FROM {t} WHERE code LIKE 't%';
SELECT id, code FROM {t} WHERE code > 'o';
-- ignore warnings
SELECT id, code FROM {t} WHERE BINARY code = 'ONE';
SELECT id, code FROM {t} WHERE code = 'ONE' COLLATE utf8mb4_bin;
SELECT id, code FROM {t} WHERE c_int IS NULL;
SELECT id, code FROM {t} WHERE c_int IS NOT NULL AND c_int <> 0;
SELECT id, code FROM {t} WHERE c_ci = 'abc';
SELECT id, code FROM {t} WHERE c_ci = 'strasse';
SELECT id, code FROM {t} WHERE c_bin = 'abc';
SELECT id, code FROM {t} WHERE c_latin = 'abc';
SELECT id, code FROM {t} WHERE c_set = 'a,b';
SELECT id, code FROM {t} WHERE FIND_IN_SET('a', c_set);
SELECT id, code FROM {t} WHERE c_enum = 'yak' AND c_enum > 1;
SELECT id, code FROM {t} WHERE c_bit = b'101';
SELECT id, code FROM {t} WHERE c_dt >= '2024-03-01' AND c_dt < '2024-03-02';
SELECT id, code FROM {t} WHERE c_binary = x'00010203';
SELECT id, code FROM {t} WHERE JSON_EXTRACT(c_json, '$.a') = 'b';
SELECT id, code FROM {t} WHERE id % 2 = 0 AND grp & 1;
SELECT id, code FROM {t} WHERE id + 1 = 5;
SELECT id, code FROM {t} WHERE ABS(id) = 4;
SELECT id FROM {t} WHERE 1 = 0;
SELECT id FROM {t} WHERE FALSE;
SELECT COUNT(*) FROM {t} WHERE 1;

-- Every column as it comes.
SELECT * FROM {t};
SELECT * FROM {t} ORDER BY id;
SELECT {t}.* FROM {t} ORDER BY id DESC;
SELECT x.*, x.id AS again FROM {t} AS x ORDER BY x.id LIMIT 3;
SELECT `x`.`id`, `x`.`code` `c d` FROM `{t}` `x` ORDER BY `c d`, 1;
SELECT shop.{t}.id FROM shop.{t} ORDER BY shop.{t}.id;
SELECT id, id, code, 'text', 5, NULL, 1.50, TRUE FROM {t} ORDER BY id LIMIT 2;
SELECT CONCAT(code, '-', id) AS label, LENGTH(code), UPPER(c_ci) FROM {t} ORDER BY id;
SELECT id /* a comment */, code -- another
FROM {t} # and one more
ORDER BY id LIMIT 1;
-- ignore warnings
SELECT SQL_NO_CACHE id FROM {t} ORDER BY id LIMIT 2;
SELECT CASE grp WHEN 0 THEN 'none' WHEN 1 THEN 'one' ELSE 'many' END AS amount, id FROM {t} ORDER BY id;
SELECT IF(c_int IS NULL, 'nil', c_int), IFNULL(c_ci, 'x'), COALESCE(c_dec, c_int, 0), NULLIF(grp, 1) FROM {t} ORDER BY id;
SELECT CAST(c_int AS CHAR), CAST(c_ci AS BINARY), CAST(c_dt AS DATE), CAST(id AS DECIMAL(10,3)) FROM {t} ORDER BY id;
-- only mysql
SELECT c_json->'$.a', c_json->>'$.a' FROM {t} WHERE id IN (11, 12) ORDER BY id;
SELECT HEX(c_blob), HEX(c_binary), c_bit + 0, c_enum + 0, c_set + 0 FROM {t} ORDER BY id;
SELECT DATE_FORMAT(c_dt, '%Y/%m'), YEAR(c_date), HOUR(c_time), c_dt + INTERVAL 1 DAY FROM {t} WHERE id > 5 ORDER BY id;

-- Order by each type, both ways.
SELECT id, c_tiny FROM {t} ORDER BY c_tiny, id;
SELECT id, c_tiny FROM {t} ORDER BY c_tiny DESC, id DESC;
SELECT id, c_tinyu FROM {t} ORDER BY c_tinyu, id;
SELECT id, c_small FROM {t} ORDER BY c_small DESC, id;
SELECT id, c_smallu FROM {t} ORDER BY c_smallu DESC, id;
SELECT id, c_med FROM {t} ORDER BY c_med, id;
SELECT id, c_medu FROM {t} ORDER BY c_medu DESC, id;
SELECT id, c_int FROM {t} ORDER BY c_int, id;
SELECT id, c_intu FROM {t} ORDER BY c_intu DESC, id;
SELECT id, c_big FROM {t} ORDER BY c_big, id;
SELECT id, c_big FROM {t} ORDER BY c_big DESC, id;
SELECT id, c_bigu FROM {t} ORDER BY c_bigu, id;
SELECT id, c_bigu FROM {t} ORDER BY c_bigu DESC, id;
SELECT id, c_dec FROM {t} ORDER BY c_dec, id;
SELECT id, c_dec FROM {t} ORDER BY c_dec DESC, id;
SELECT id, c_money FROM {t} ORDER BY c_money, id;
SELECT id, c_float FROM {t} ORDER BY c_float, id;
SELECT id, c_double FROM {t} ORDER BY c_double DESC, id;
SELECT id, c_bit FROM {t} ORDER BY c_bit, id;
SELECT id, c_bit FROM {t} ORDER BY c_bit DESC, id;
SELECT id, c_bool FROM {t} ORDER BY c_bool, id;
SELECT id, c_date FROM {t} ORDER BY c_date, id;
SELECT id, c_date FROM {t} ORDER BY c_date DESC, id;
SELECT id, c_time FROM {t} ORDER BY c_time, id;
SELECT id, c_time FROM {t} ORDER BY c_time DESC, id;
SELECT id, c_dt FROM {t} ORDER BY c_dt, id;
SELECT id, c_dt FROM {t} ORDER BY c_dt DESC, id;
SELECT id, c_ts FROM {t} ORDER BY c_ts, id;
SELECT id, c_year FROM {t} ORDER BY c_year, id;
SELECT id, c_char FROM {t} ORDER BY c_char, id;
SELECT id, c_ci FROM {t} ORDER BY c_ci, id;
SELECT id, c_ci FROM {t} ORDER BY c_ci DESC, id DESC;
SELECT id, c_bin FROM {t} ORDER BY c_bin, id;
SELECT id, c_bin FROM {t} ORDER BY c_bin DESC, id;
SELECT id, c_latin FROM {t} ORDER BY c_latin, id;
SELECT id, c_binary FROM {t} ORDER BY c_binary, id;
SELECT id, c_varbinary FROM {t} ORDER BY c_varbinary DESC, id;
SELECT id, c_blob FROM {t} ORDER BY c_blob, id;
SELECT id, c_text FROM {t} ORDER BY c_text, id;
SELECT id, c_enum FROM {t} ORDER BY c_enum, id;
SELECT id, c_enum FROM {t} ORDER BY c_enum DESC, id;
SELECT id, c_set FROM {t} ORDER BY c_set, id;
SELECT id, c_json FROM {t} WHERE id IN (4, 7, 8, 6) ORDER BY c_json, id;
SELECT id, day, code FROM {t} ORDER BY day DESC, code;

-- Order by ordinals, aliases, expressions, columns that are not selected.
SELECT code, id FROM {t} ORDER BY 2 DESC;
SELECT code AS k, id FROM {t} ORDER BY k, id;
SELECT grp AS id, id AS grp FROM {t} ORDER BY id, grp;
SELECT code FROM {t} ORDER BY id;
SELECT code FROM {t} ORDER BY grp, c_dec DESC, id;
SELECT id FROM {t} ORDER BY id % 3, id DESC;
SELECT id FROM {t} ORDER BY -id;
SELECT id FROM {t} ORDER BY c_int IS NULL, c_int, id;
SELECT id FROM {t} ORDER BY LOWER(code), id;
SELECT id FROM {t} ORDER BY CONCAT(c_ci, code), id;
SELECT id FROM {t} ORDER BY c_ci COLLATE utf8mb4_bin, id;
SELECT id FROM {t} ORDER BY FIELD(grp, 3, 1, 2), id;
SELECT id + 100 AS big FROM {t} ORDER BY big DESC LIMIT 4;
SELECT id FROM {t} ORDER BY NULL LIMIT 0;
SELECT id FROM {t} ORDER BY LENGTH(code) DESC, id LIMIT 5;
SELECT id FROM {t} ORDER BY CAST(c_ci AS BINARY), id LIMIT 5;
SELECT id FROM {t} ORDER BY id LIMIT 5;
SELECT id FROM {t} ORDER BY id LIMIT 0;
SELECT id FROM {t} ORDER BY id LIMIT 5 OFFSET 3;
SELECT id FROM {t} ORDER BY id LIMIT 3, 5;
SELECT id FROM {t} ORDER BY id LIMIT 100;
SELECT id FROM {t} ORDER BY id LIMIT 18, 100;
SELECT id FROM {t} ORDER BY id LIMIT 5 OFFSET 1000;
SELECT id FROM {t} ORDER BY id LIMIT 18446744073709551615;
-- shape
SELECT id FROM {t} LIMIT 7;
(SELECT id FROM {t} WHERE id < 3) ORDER BY id DESC;

-- Unions and subqueries.
SELECT id FROM {t} WHERE id < 3 UNION ALL SELECT id FROM {t} WHERE id < 4;
SELECT id FROM {t} WHERE id < 3 UNION SELECT id FROM {t} WHERE id < 4 ORDER BY id DESC;
SELECT grp FROM {t} UNION SELECT id FROM {t} WHERE id = 3;
SELECT id FROM {t} WHERE grp = (SELECT MAX(grp) FROM {t}) ORDER BY id;
SELECT id FROM {t} WHERE id IN (SELECT grp FROM {t}) ORDER BY id;
SELECT id FROM {t} a WHERE EXISTS (SELECT 1 FROM {t} b WHERE b.grp = a.id) ORDER BY id;
SELECT id FROM {t} a WHERE id = (SELECT MAX(id) FROM {t} b WHERE b.grp = a.grp) ORDER BY id;
SELECT s.grp, s.n FROM (SELECT grp, COUNT(*) AS n FROM {t} GROUP BY grp) s WHERE s.n > 1 ORDER BY s.grp;
SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM {t} GROUP BY grp) s;
SELECT COUNT(*) FROM (SELECT id FROM {t} ORDER BY id LIMIT 7) s;
WITH s AS (SELECT grp, COUNT(*) AS n FROM {t} GROUP BY grp) SELECT * FROM s ORDER BY grp;
SELECT id, (SELECT COUNT(*) FROM {t} b WHERE b.grp = a.grp) AS n FROM {t} a ORDER BY id;
SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS n FROM {t} ORDER BY id;
SELECT id, RANK() OVER (PARTITION BY grp ORDER BY id) AS n FROM {t} ORDER BY id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.id = b.id ORDER BY a.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b USING (id, grp, day, code) ORDER BY a.id;
SELECT a.id, b.id FROM {t} a LEFT JOIN {t} b ON a.id = b.id + 1 ORDER BY a.id;
SELECT a.id, b.id FROM {t} a JOIN {t} b ON a.id = b.grp ORDER BY a.id, b.id;
SELECT COUNT(*) FROM {t} a, {t} b;
SELECT a.grp, SUM(b.id) FROM {t} a JOIN {t} b ON a.id = b.id GROUP BY a.grp ORDER BY a.grp;

-- Locking reads and hints.
SELECT id FROM {t} WHERE id = 4 FOR UPDATE;
SELECT id FROM {t} WHERE id = 4 LOCK IN SHARE MODE;
SELECT /*+ MAX_EXECUTION_TIME(10000) */ id FROM {t} WHERE id = 4;
SELECT id FROM {t} FORCE INDEX (PRIMARY) WHERE id = 4;
SELECT id INTO @found FROM {t} WHERE id = 4;
SELECT @found;

-- Mistakes.
-- error 1054
SELECT nothing FROM {t};
-- error 1054
SELECT id FROM {t} WHERE nothing = 1;
-- error 1054
SELECT id FROM {t} ORDER BY nothing;
-- error 1054
SELECT id FROM {t} ORDER BY 7;
-- error 1064
SELECT id FROM {t} WHERE;
-- error 1052
SELECT id FROM {t} a, {t} b;
-- error 1066
SELECT 1 FROM {t}, {t};
-- error 1242
SELECT (SELECT id FROM {t}) AS x;
-- error 1305
SELECT no_such_function(id) FROM {t};
DROP TABLE {t};
