-- tables: t_single t_other t_broadcast t_hash t_modulo t_list t_time t_phys t_both t_text
-- Statements that differ from those before in nothing but values: from the third on they run by a plan that was kept.
-- include table
SELECT id, code FROM {t} WHERE id = 1;
SELECT id, code FROM {t} WHERE id = 2;
SELECT id, code FROM {t} WHERE id = 3;
SELECT id, code FROM {t} WHERE id = 99;
SELECT id, code FROM {t} WHERE id = '4';
SELECT id, code FROM {t} WHERE id = '5';
SELECT id, code FROM {t} WHERE id = ' 6';
-- ignore warnings
SELECT id, code FROM {t} WHERE id = '7x' ORDER BY id;
SELECT id, code FROM {t} WHERE id = 4.0;
SELECT id, code FROM {t} WHERE id = 5.0;
SELECT id, code FROM {t} WHERE id = 7.0;
SELECT id, code FROM {t} WHERE id = 6.0;
SELECT id, grp FROM {t} WHERE id IN (1, 2, 3) ORDER BY id;
SELECT id, grp FROM {t} WHERE id IN (4, 5, 6) ORDER BY id;
SELECT id, grp FROM {t} WHERE id IN (7, 7, 7) ORDER BY id;
SELECT id, grp FROM {t} WHERE id IN (1, 99, 3) ORDER BY id;
SELECT id FROM {t} WHERE id BETWEEN 1 AND 3 ORDER BY id LIMIT 2;
SELECT id FROM {t} WHERE id BETWEEN 2 AND 4 ORDER BY id LIMIT 2;
SELECT id FROM {t} WHERE id BETWEEN 4 AND 4 ORDER BY id LIMIT 2;
SELECT id FROM {t} WHERE id BETWEEN 4 AND 1 ORDER BY id LIMIT 2;
SELECT code, 1, 'x' FROM {t} WHERE code = 'one';
SELECT code, 1, 'x' FROM {t} WHERE code = 'TWO';
SELECT code, 1, 'x' FROM {t} WHERE code = 'three ';
SELECT code, 2, 'y' FROM {t} WHERE code = 'fo''ur';
SELECT code, 2, 'y' FROM {t} WHERE code = 'four\0';
SELECT grp, COUNT(*) FROM {t} WHERE id > 1 GROUP BY 1 ORDER BY 1;
SELECT grp, COUNT(*) FROM {t} WHERE id > 3 GROUP BY 1 ORDER BY 1;
SELECT grp, COUNT(*) FROM {t} WHERE id > 5 GROUP BY 1 ORDER BY 1;
SELECT COUNT(*) FROM {t} WHERE day = '{day}' AND grp = 0;
SELECT COUNT(*) FROM {t} WHERE day = '{day-1}' AND grp = 1;
SELECT COUNT(*) FROM {t} WHERE day = '{day+1}' AND grp = 2;

-- What statements leave behind.
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (50, 0, '{day}', 'k50', 1);
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (51, 1, '{day}', 'k51', 2);
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (52, 2, '{day-1}', 'k52', 3);
-- error 1062
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (52, 2, '{day-1}', 'k52', 4);
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (53, 3, '{day+1}', 'it''s', 5);
SELECT ROW_COUNT(), LAST_INSERT_ID();
INSERT INTO {t} (id, grp, day, code) VALUES (54, 0, '{day}', 'a'), (55, 1, '{day}', 'b');
INSERT INTO {t} (id, grp, day, code) VALUES (56, 2, '{day}', 'c'), (57, 3, '{day}', 'd');
INSERT INTO {t} (id, grp, day, code) VALUES (58, 4, '{day}', 'e'), (59, 0, '{day}', 'f');
UPDATE {t} SET c_int = 10, c_ci = 'x' WHERE id = 50;
UPDATE {t} SET c_int = 11, c_ci = 'y''s' WHERE id = 51;
UPDATE {t} SET c_int = 12, c_ci = 'z' WHERE id = 52;
UPDATE {t} SET c_int = 12, c_ci = 'z' WHERE id = 52;
SELECT ROW_COUNT();
UPDATE {t} SET c_int = c_int + 1 WHERE id > 50;
UPDATE {t} SET c_int = c_int + 1 WHERE id > 51;
UPDATE {t} SET c_int = c_int + 1 WHERE id > 52;
DELETE FROM {t} WHERE id = 57;
DELETE FROM {t} WHERE id = 58;
DELETE FROM {t} WHERE id = 59;
DELETE FROM {t} WHERE id = 59;
SELECT id, grp, code, c_int, c_ci FROM {t} WHERE id >= 50 ORDER BY id;
SELECT id, c_money FROM {t} WHERE id >= 50 AND c_tiny + '1x' > 0 ORDER BY id;
SELECT id, c_money FROM {t} WHERE id >= 51 AND c_tiny + '1x' > 0 ORDER BY id;
BEGIN;
UPDATE {t} SET c_int = 20, c_ci = 'x' WHERE id = 50;
SELECT id, c_int FROM {t} WHERE id = 50;
SELECT id, c_int FROM {t} WHERE id = 51;
SELECT id, c_int FROM {t} WHERE id = 50;
ROLLBACK;
SELECT id, c_int FROM {t} WHERE id = 50;

-- The same text means something else.
SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');
SELECT id, "code" FROM {t} WHERE id = 1;
SELECT id, "code" FROM {t} WHERE id = 2;
SELECT id, "code" FROM {t} WHERE id = 3;
SET sql_mode = '';
SELECT id, "code" FROM {t} WHERE id = 1;
SELECT id, "code" FROM {t} WHERE id = 2;
SELECT id, "code" FROM {t} WHERE id = 3;
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
SELECT id, '\\' FROM {t} WHERE code = 'one\\';
SELECT id, '\\' FROM {t} WHERE code = 'one';
SELECT id, '\\' FROM {t} WHERE code = 'two';
SET sql_mode = DEFAULT;
SELECT id, '\\' FROM {t} WHERE code = 'one';
SELECT id, '\\' FROM {t} WHERE code = 'two';
SELECT id, '\\' FROM {t} WHERE code = 'three';
-- text
SELECT * FROM {t} WHERE id = 54;
-- text
SELECT * FROM {t} WHERE id = 55;
-- text
SELECT * FROM {t} WHERE id = 56;
ALTER TABLE {t} ADD COLUMN more INT DEFAULT 7;
-- text
SELECT * FROM {t} WHERE id = 54;
-- text
SELECT * FROM {t} WHERE id = 55;
-- text
SELECT * FROM {t} WHERE id = 56;
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (60, 0, '{day}', 'k60', 1);
ALTER TABLE {t} DROP COLUMN more;
-- text
SELECT * FROM {t} WHERE id = 54;
-- text
SELECT * FROM {t} WHERE id = 60;
DROP TABLE {t};
-- error 1146
SELECT * FROM {t} WHERE id = 54;
-- error 1146
SELECT id, code FROM {t} WHERE id = 1;
-- error 1146
UPDATE {t} SET c_int = 10, c_ci = 'x' WHERE id = 50;
