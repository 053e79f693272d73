-- tables: t_single t_other t_broadcast t_hash t_modulo t_ring t_range t_list t_time t_phys t_both t_text
-- UPDATE of the columns by which rows are placed: rows move, with all that they hold.
-- include table

-- Each of the keys, of one row and of many, by constants and by what the row has.
UPDATE {t} SET id = 1001 WHERE id = 1;
UPDATE {t} SET grp = 4 WHERE id = 1001;
UPDATE {t} SET day = '{day-1}' WHERE id = 1001;
UPDATE {t} SET code = 'moved' WHERE id = 1001;
SELECT * FROM {t} WHERE id = 1001;
UPDATE {t} SET id = id + 2000 WHERE id < 1000 AND grp < 3;
UPDATE {t} SET grp = (grp + 1) % 5, c_int = id WHERE id > 1000;
UPDATE {t} SET day = day - INTERVAL 1 DAY, c_json = '[7]' WHERE c_tiny = 3;
UPDATE {t} SET code = CONCAT('x', code) WHERE c_tiny < 3;
SELECT * FROM {t} ORDER BY id;

-- Rows that stay, and keys that do not change.
UPDATE {t} SET id = id, grp = grp, day = day, code = code, c_int = 5 WHERE id = 14;
UPDATE {t} SET id = 14 WHERE id = 14;
UPDATE {t} SET id = 14, grp = 3, day = '{day-3}', code = 'fourteen', c_int = 6 WHERE id = 14 AND grp = 3 AND day = '{day-3}' AND code = 'fourteen';
UPDATE {t} SET id = id + 0, grp = grp * 1, c_int = 6 WHERE id = 14;
UPDATE {t} SET id = 3 WHERE id = 99999;
UPDATE {t} SET id = id + 1 WHERE id = 99999 OR id = 99998;
SELECT id, grp, day, code, c_int FROM {t} WHERE id = 14;

-- ORDER BY and LIMIT, assignments in their order.
UPDATE {t} SET id = id + 3000, c_big = id, grp = 0, c_small = grp ORDER BY id DESC LIMIT 3;
SELECT id, grp, code, c_big, c_small FROM {t} WHERE id > 3000 ORDER BY id;
-- Key by key, the last one first.
UPDATE {t} SET id = id + 1 ORDER BY id DESC;
SELECT id, code FROM {t} ORDER BY id;

-- What a column makes of a value.
UPDATE {t} SET id = '4001' WHERE id = 15;
UPDATE {t} SET id = 4002.4 WHERE id = 16;
SELECT id, code FROM {t} WHERE id IN (15, 16, 4001, 4002) ORDER BY id;
-- error 1264
UPDATE {t} SET id = 99999999999 WHERE id = 4001;
-- error 1366 1292
UPDATE {t} SET id = 'abc' WHERE id = 4001;
-- error 1048
UPDATE {t} SET id = NULL WHERE id = 4001;
-- error 1406
UPDATE {t} SET code = 'longer than twenty characters' WHERE id = 4001;
-- error 1054
UPDATE {t} SET id = nothing WHERE id = 4001;
-- error 1054
UPDATE {t} SET id = nothing WHERE id = 99999;
-- error 1054
UPDATE {t} SET id = 5, nothing = 6 WHERE id = 4001;
SET sql_mode = '';
UPDATE {t} SET id = '4003 and more' WHERE id = 4001;
UPDATE {t} SET code = 'longer than twenty characters' WHERE id = 4003;
SHOW WARNINGS;
UPDATE {t} SET id = 4004, c_date = '0000-00-00', c_dt = '2024-00-00', c_enum = 'none' WHERE id = 4003;
UPDATE {t} SET id = 4005 WHERE id = 4004;
SELECT * FROM {t} WHERE id IN (4001, 4003, 4004, 4005);
SET sql_mode = DEFAULT;
SET time_zone = '+05:30';
UPDATE {t} SET id = id + 1000 WHERE c_ts IS NOT NULL ORDER BY id DESC;
SELECT id, c_ts, c_dt FROM {t} WHERE c_ts IS NOT NULL ORDER BY id;
SET time_zone = DEFAULT;
SELECT id, c_ts, c_dt FROM {t} WHERE c_ts IS NOT NULL ORDER BY id;

-- A failure leaves all rows as they were.
-- error 1062
UPDATE {t} SET id = 7777, grp = 1, day = '{day}', code = 'same' WHERE id > 100;
SELECT id, grp, day, code FROM {t} ORDER BY id;
BEGIN;
UPDATE {t} SET c_int = 77 WHERE id > 100;
-- error 1062
UPDATE {t} SET id = 7777, grp = 1, day = '{day}', code = 'same' WHERE id > 100;
SELECT id, c_int FROM {t} ORDER BY id;
UPDATE {t} SET id = id + 10000, grp = 1 WHERE id > 100 ORDER BY id DESC;
SELECT id, grp, c_int FROM {t} ORDER BY id;
SAVEPOINT s;
UPDATE {t} SET id = id + 10000, day = '{day+1}' WHERE id > 100 ORDER BY id DESC;
ROLLBACK TO s;
SELECT id, grp, day, c_int FROM {t} ORDER BY id;
ROLLBACK;
SELECT id, grp, c_int FROM {t} ORDER BY id;
BEGIN;
UPDATE {t} SET id = id + 10000, grp = 1 WHERE id > 100 ORDER BY id DESC;
COMMIT;
SELECT * FROM {t} ORDER BY id;
DROP TABLE {t};
