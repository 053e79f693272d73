-- tables: g_flake g_count g_parts g_child
-- Generated ids: all but the values themselves is as on one server.
DROP TABLE IF EXISTS {t};
CREATE TABLE {t} (id BIGINT NOT NULL AUTO_INCREMENT, grp INT NOT NULL DEFAULT 1, name VARCHAR(20) COLLATE {ai_ci}, PRIMARY KEY (id), UNIQUE KEY once (grp, name, id), UNIQUE KEY name_once (grp, name));

-- Left out: one row, several rows.
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'one');
SELECT LAST_INSERT_ID() = MAX(id), COUNT(*) FROM {t};
SELECT @@identity = MAX(id), @@last_insert_id = MAX(id) FROM {t};
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'two'), (2, 'three'), (3, 'four'), (4, 'five'), (5, 'six');
SELECT LAST_INSERT_ID() = MIN(id), MAX(id) - MIN(id), COUNT(*) FROM {t} WHERE name <> 'one';
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
SELECT name, id - LAST_INSERT_ID() FROM {t} WHERE name <> 'one' ORDER BY id;

-- Given in words that ask for an id.
-- ignore id
INSERT INTO {t} (id, grp, name) VALUES (NULL, 6, 'null');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} (id, grp, name) VALUES (0, 7, 'zero');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} (grp, id, name) VALUES (8, DEFAULT, 'default'), (9, '0', 'text zero'), (1, 0.2, 'small');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} SET grp = 2, name = 'set';
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} SET grp = 3, id = NULL, name = 'set null';
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} VALUES (NULL, 4, 'no list'), (DEFAULT, 5, 'no list either');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT shop.{t}(name, grp)VALUES('tight',6);
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
REPLACE INTO {t} (grp, name) VALUES (7, 'replace');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();

-- Values that are given stay, and LAST_INSERT_ID() keeps its answer.
INSERT INTO {t} (id, grp, name) VALUES (9000000000000000, 1, 'given');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
SELECT id, name FROM {t} WHERE name = 'given';
INSERT INTO {t} (id, grp, name) VALUES (9000000000000001, 1, 'given too'), (9000000000000002, 2, 'and this');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- error 1062
INSERT INTO {t} (id, grp, name) VALUES (9000000000000001, 1, 'twice');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- ignore id
INSERT INTO {t} (id, grp, name) VALUES (9000000000000007, 3, 'mixed given'), (NULL, 4, 'mixed new'), (9000000000000009, 5, 'mixed last');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
SELECT id, name FROM {t} WHERE name LIKE 'mixed%' AND name <> 'mixed new' ORDER BY id;
-- refused
INSERT INTO {t} (id, grp, name) VALUES (-5, 1, 'negative');
SELECT id, name FROM {t} WHERE id < 0;

-- NO_AUTO_VALUE_ON_ZERO.
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO {t} (id, grp, name) VALUES (0, 1, 'a real zero');
SELECT id, name FROM {t} WHERE id = 0;
-- ignore id
INSERT INTO {t} (id, grp, name) VALUES (NULL, 1, 'null still');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
SET sql_mode = DEFAULT;

-- Rows that are not inserted.
-- except g_flake g_parts
INSERT IGNORE INTO {t} (grp, name) VALUES (1, 'one');
-- except g_flake g_parts
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- except g_flake g_parts
-- ignore id
INSERT IGNORE INTO {t} (grp, name) VALUES (1, 'one'), (1, 'ignored first'), (1, 'ignored last');
-- except g_flake g_parts
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- except g_flake g_parts
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'one') ON DUPLICATE KEY UPDATE name = 'one changed';
-- except g_flake g_parts
SELECT name FROM {t} WHERE name = 'one changed';
-- except g_flake g_parts
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'fresh') ON DUPLICATE KEY UPDATE name = 'not this';
-- except g_flake g_parts
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- except g_flake g_parts
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'fresh') ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), name = 'refreshed';
-- except g_flake g_parts
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
-- error 1062
-- except g_flake g_parts
INSERT INTO {t} (grp, name) VALUES (1, 'refreshed');

-- An id in another table's row.
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'parent');
-- ignore id
INSERT INTO {t} (grp, name) VALUES (2, CONCAT('child of ', LAST_INSERT_ID() IS NOT NULL));
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();

-- In transactions.
BEGIN;
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'undone'), (2, 'undone');
SELECT COUNT(*) FROM {t} WHERE id >= LAST_INSERT_ID() AND name = 'undone';
ROLLBACK;
SELECT COUNT(*) FROM {t} WHERE name = 'undone';
BEGIN;
-- ignore id
INSERT INTO {t} (grp, name) VALUES (1, 'done'), (2, 'done'), (3, 'done');
COMMIT;
SELECT COUNT(*), MIN(id) = LAST_INSERT_ID() FROM {t} WHERE name = 'done';

-- Mistakes.
-- error 1136
INSERT INTO {t} (grp, name) VALUES (1, 'x'), (2);
-- error 1054
INSERT INTO {t} (grp, nope) VALUES (1, 'x');
-- error 1366
-- refused
INSERT INTO {t} (id, grp, name) VALUES ('x', 1, 'no number');
SELECT name FROM {t} WHERE id = LAST_INSERT_ID();
SELECT name, COUNT(*) FROM {t} GROUP BY name ORDER BY name;
DROP TABLE {t};
