-- tables: t_single t_other t_broadcast t_hash t_modulo t_ring t_range t_list t_time t_phys t_both t_text
-- Writes to each kind of table.
-- include table

INSERT INTO {t} (id, grp, day, code) VALUES (30, 0, '{day}', 'thirty');
INSERT INTO {t} (id, grp, day, code) VALUES (31, 1, '{day}', 'a'), (32, 2, '{day-1}', 'b'), (33, 3, '{day+1}', 'c');
INSERT INTO {t} (code, day, grp, id) VALUES ('d', '{day}', 4, 34);
INSERT INTO {t} SET id = 35, grp = 0, day = '{day}', code = 'set', c_int = 5;
INSERT {t} (id, grp, day, code, c_money) VALUE (36, 1, '{day}', 'value', 1.005);
-- refused if t_hash t_modulo t_ring t_range t_time t_phys t_both t_text
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (18 + 19, 2, '{day}', CONCAT('x', 'y'), 2 * 3);
INSERT INTO {t} (id, grp, day, code, c_int) VALUES ('38', '3', '{day}', 'text id', DEFAULT);
INSERT INTO {t} (id, grp, day, code, c_ci) VALUES (39, 4, '{day}', 'quote''s', 'a;b\'c"d');
INSERT INTO shop.{t} (id, grp, day, code) VALUES (40, 0, '{day}', 'qualified');
SELECT id, grp, code, c_int, c_money, c_ci FROM {t} WHERE id >= 30 ORDER BY id;
INSERT IGNORE INTO {t} (id, grp, day, code) VALUES (30, 0, '{day}', 'thirty');
SHOW WARNINGS;
INSERT IGNORE INTO {t} (id, grp, day, code) VALUES (30, 0, '{day}', 'thirty'), (41, 1, '{day}', 'new');
REPLACE INTO {t} (id, grp, day, code, c_int) VALUES (30, 0, '{day}', 'thirty', 1);
REPLACE INTO {t} (id, grp, day, code, c_int) VALUES (30, 0, '{day}', 'thirty', 2), (42, 2, '{day}', 'replaced', 3);
REPLACE INTO {t} SET id = 43, grp = 3, day = '{day}', code = 'set';
SELECT id, code, c_int FROM {t} WHERE id IN (30, 41, 42, 43) ORDER BY id;
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (30, 0, '{day}', 'thirty', 9) ON DUPLICATE KEY UPDATE c_int = c_int + 10;
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (30, 0, '{day}', 'thirty', 9) ON DUPLICATE KEY UPDATE c_int = VALUES(c_int);
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (30, 0, '{day}', 'thirty', 9), (44, 4, '{day}', 'dup', 1) ON DUPLICATE KEY UPDATE c_int = 77;
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (30, 0, '{day}', 'thirty', 9) ON DUPLICATE KEY UPDATE c_int = 77;
SELECT id, code, c_int FROM {t} WHERE id IN (30, 44) ORDER BY id;
INSERT INTO {t} (id, grp, day, code, c_int) SELECT id + 100, grp, day, code, c_int FROM {t} WHERE id = 4;
INSERT INTO {t} (id, grp, day, code, c_int) SELECT id + 100, grp, day, code, c_int FROM {t} WHERE id IN (6, 7, 8);
SELECT id, grp, code, c_int FROM {t} WHERE id > 100 ORDER BY id;

-- Updates by key, by range, of all.
UPDATE {t} SET c_int = 1000 WHERE id = 30;
UPDATE {t} SET c_int = 1000 WHERE id = 30;
UPDATE {t} SET c_int = c_int + 1, c_ci = CONCAT('u', c_int) WHERE id = 30;
UPDATE {t} SET c_int = 1000 WHERE id = 9999;
UPDATE {t} SET c_int = 5 WHERE id IN (31, 32, 33);
UPDATE {t} SET c_int = 6 WHERE id BETWEEN 31 AND 34 AND grp <> 2;
UPDATE {t} SET c_tiny = 1 WHERE grp = 3;
UPDATE {t} SET c_small = id;
UPDATE {t} x SET x.c_med = x.id + 1 WHERE x.id > 30;
UPDATE {t} SET c_ci = NULL, c_dt = '2024-01-01 00:00:00' WHERE code = 'THIRTY';
UPDATE {t} SET c_int = -1 WHERE id = 31 LIMIT 1;
UPDATE {t} SET c_int = -2 WHERE id = 31 ORDER BY grp LIMIT 1;
UPDATE IGNORE {t} SET c_int = 4 WHERE id = 32;
UPDATE {t} SET c_money = 1 WHERE c_money IS NULL AND id > 30;
SELECT id, c_tiny, c_small, c_med, c_int, c_money, c_ci, c_dt FROM {t} ORDER BY id;

-- Updates of sharding keys move rows.
UPDATE {t} SET id = 230 WHERE id = 30;
UPDATE {t} SET grp = 1 WHERE id = 230;
UPDATE {t} SET day = '{day-1}' WHERE id = 230;
UPDATE {t} SET code = 'moved' WHERE id = 230;
UPDATE {t} SET id = 231, grp = 2, day = '{day+1}', code = 'moved again', c_int = 9 WHERE id = 230;
SELECT id, grp, day, code, c_int FROM {t} WHERE id >= 200;
SELECT COUNT(*) FROM {t} WHERE id IN (30, 230, 231);

-- Deletes.
DELETE FROM {t} WHERE id = 231;
DELETE FROM {t} WHERE id = 231;
DELETE FROM {t} WHERE id IN (31, 32, 9999);
DELETE FROM {t} WHERE id = 33 LIMIT 1;
DELETE FROM {t} WHERE grp = 4 AND id > 30;
DELETE FROM {t} WHERE id BETWEEN 100 AND 110;
DELETE FROM {t} WHERE day > '{day+1}';
DELETE FROM {t} WHERE code LIKE 'x%';
SELECT id, grp, code FROM {t} ORDER BY id;

-- Mistakes.
-- error 1062
INSERT INTO {t} (id, grp, day, code) VALUES (4, 3, '{day}', 'FOUR');
-- error 1062
INSERT INTO {t} (id, grp, day, code) VALUES (50, 0, '{day}', 'ok'), (4, 3, '{day}', 'four');
SELECT COUNT(*) FROM {t} WHERE id = 50;
-- No shard takes NULL: that comes before the column's own check.
-- except t_list t_both
-- error 1048
INSERT INTO {t} (id, grp, day, code) VALUES (51, NULL, '{day}', 'x');
-- error 1364
-- refused if t_text
INSERT INTO {t} (id, grp, day) VALUES (51, 1, '{day}');
-- error 1406
INSERT INTO {t} (id, grp, day, code) VALUES (51, 1, '{day}', 'twenty-one characters');
-- error 1406
UPDATE {t} SET c_ci = REPEAT('x', 101) WHERE id = 4;
-- error 1264
UPDATE {t} SET c_tiny = 128 WHERE id = 4;
-- error 1264
UPDATE {t} SET c_tinyu = -1 WHERE id = 4;
-- error 1264
INSERT INTO {t} (id, grp, day, code, c_money) VALUES (51, 1, '{day}', 'x', 100000000);
-- error 1265
UPDATE {t} SET c_enum = 'gnu' WHERE id = 4;
-- error 1292
UPDATE {t} SET c_dt = '2024-02-30' WHERE id = 4;
-- error 1366
UPDATE {t} SET c_int = 'abc' WHERE id = 4;
-- error 1054
INSERT INTO {t} (id, grp, day, code, nothing) VALUES (51, 1, '{day}', 'x', 1);
-- error 1054
UPDATE {t} SET nothing = 1 WHERE id = 4;
-- error 1054
DELETE FROM {t} WHERE nothing = 1;
-- error 1136
INSERT INTO {t} (id, grp, day, code) VALUES (51, 1, '{day}');
-- error 1136
INSERT INTO {t} VALUES (1);
-- error 1110
INSERT INTO {t} (id, id, grp, day, code) VALUES (51, 52, 1, '{day}', 'x');
-- error 1064
INSERT INTO {t} VALUES;
-- error 1690
UPDATE {t} SET c_bigu = c_bigu + 18446744073709551615 WHERE id = 4;
SELECT COUNT(*), SUM(id) FROM {t};

-- Lenient mode warns instead.
SET sql_mode = '';
INSERT INTO {t} (id, grp, day, code, c_tiny, c_ci) VALUES (60, 1, '{day}', 'lenient', 1000, REPEAT('y', 200));
SHOW WARNINGS;
SELECT c_tiny, c_ci FROM {t} WHERE id = 60;
UPDATE {t} SET c_enum = 'gnu' WHERE id = 60;
SHOW WARNINGS;
SELECT @@warning_count;
SET sql_mode = DEFAULT;

-- Transactions on one shard.
BEGIN;
INSERT INTO {t} (id, grp, day, code) VALUES (70, 0, '{day}', 'tx');
SELECT id, code FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
UPDATE {t} SET c_int = 1 WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
COMMIT;
SELECT id, c_int FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
START TRANSACTION;
DELETE FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
SELECT COUNT(*) FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
ROLLBACK;
SELECT COUNT(*) FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
BEGIN;
UPDATE {t} SET c_int = 2 WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
SAVEPOINT s1;
UPDATE {t} SET c_int = 3 WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
ROLLBACK TO s1;
SELECT c_int FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
RELEASE SAVEPOINT s1;
-- error 1305
ROLLBACK TO s1;
COMMIT;
SET autocommit = 0;
UPDATE {t} SET c_int = 4 WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';
ROLLBACK;
SET autocommit = 1;
SELECT c_int FROM {t} WHERE id = 70 AND grp = 0 AND day = '{day}' AND code = 'tx';

-- Transactions over many shards.
BEGIN;
UPDATE {t} SET c_big = 5 WHERE id IN (1, 2, 3, 4, 5, 6, 7, 8);
INSERT INTO {t} (id, grp, day, code) VALUES (71, 1, '{day}', 'many'), (72, 2, '{day-1}', 'many'), (73, 3, '{day-2}', 'many');
SELECT COUNT(*), SUM(c_big) FROM {t};
ROLLBACK;
SELECT COUNT(*) FROM {t} WHERE id IN (71, 72, 73);
BEGIN;
UPDATE {t} SET c_big = 6 WHERE id IN (1, 2, 3, 4, 5, 6, 7, 8);
-- error 1062
INSERT INTO {t} (id, grp, day, code) VALUES (1, 0, '{day}', 'one');
INSERT INTO {t} (id, grp, day, code) VALUES (71, 1, '{day}', 'many'), (72, 2, '{day-1}', 'many'), (73, 3, '{day-2}', 'many');
COMMIT;
SELECT id, c_big FROM {t} WHERE c_big = 6 OR id > 70 ORDER BY id;
START TRANSACTION READ ONLY;
SELECT COUNT(*) FROM {t};
-- error 1792
UPDATE {t} SET c_int = 9 WHERE id = 1;
COMMIT;

-- One session does not see what another has not committed.
BEGIN;
UPDATE {t} SET c_money = 123.45 WHERE id = 7 AND grp = 1 AND day = '{day-1}' AND code = 'seven';
-- session other
SELECT c_money FROM {t} WHERE id = 7 AND grp = 1 AND day = '{day-1}' AND code = 'seven';
SET innodb_lock_wait_timeout = 1;
-- error 1205
-- except t_broadcast
UPDATE {t} SET c_money = 0 WHERE id = 7 AND grp = 1 AND day = '{day-1}' AND code = 'seven';
-- session main
COMMIT;
-- session other
SELECT c_money FROM {t} WHERE id = 7 AND grp = 1 AND day = '{day-1}' AND code = 'seven';
-- session main
TRUNCATE TABLE {t};
SELECT COUNT(*) FROM {t};
INSERT INTO {t} (id, grp, day, code) VALUES (1, 1, '{day}', 'again');
DELETE FROM {t};
DROP TABLE {t};
