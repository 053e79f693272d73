-- tables: t_single t_broadcast t_hash t_range t_list t_text
-- LOCK TABLES of tables on one shard and on several.
-- include table

-- text
LOCK TABLES {t} WRITE, {t} AS s READ;
SELECT id, code, c_int FROM {t} WHERE id < 9 ORDER BY id, code;
SELECT COUNT(*), SUM(id) FROM {t};
SELECT DISTINCT grp FROM {t} ORDER BY grp;
/*!40000 ALTER TABLE {t} DISABLE KEYS */;
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (50, 0, '{day}', 'a', 1), (51, 1, '{day}', 'b', 1), (52, 2, '{day}', 'c', 1), (53, 3, '{day}', 'd', 1);
UPDATE {t} SET c_int = c_int + 6 WHERE id >= 50;
DELETE FROM {t} WHERE id = 51;
INSERT INTO {t} (id, grp, day, code, c_int) SELECT id + 10, grp, day, code, c_int FROM {t} AS s WHERE id >= 50;
/*!40000 ALTER TABLE {t} ENABLE KEYS */;
SELECT id, grp, c_int FROM {t} WHERE id >= 50 ORDER BY id;
-- error 1062
INSERT INTO {t} (id, grp, day, code) VALUES (70, 0, '{day}', 'a'), (71, 1, '{day}', 'b'), (72, 2, '{day}', 'c'), (50, 0, '{day}', 'a');
SELECT COUNT(*) FROM {t} WHERE id >= 70;
SELECT 1 + 1;
-- session two
SET lock_wait_timeout = 1;
-- error 1205
SELECT COUNT(*) FROM {t};
-- session main
-- text
UNLOCK TABLES;
-- session two
SELECT COUNT(*) FROM {t} WHERE id >= 50;

-- Shared locks.
-- session main
-- text
LOCK TABLES {t} READ LOCAL;
SELECT id FROM {t} WHERE id >= 50 ORDER BY id DESC LIMIT 2;
SELECT grp, COUNT(*) FROM {t} GROUP BY grp ORDER BY grp;
-- error 1099
INSERT INTO {t} (id, grp, day, code) VALUES (80, 0, '{day}', 'a'), (81, 1, '{day}', 'b');
-- error 1099
UPDATE {t} SET c_int = 8;
-- session two
SELECT COUNT(*) FROM {t} WHERE id >= 50;
-- error 1205
UPDATE {t} SET c_int = 8;
-- session main
-- text
LOCK TABLES {t} AS a READ, {t} WRITE;
SELECT COUNT(*) FROM {t} AS a WHERE id >= 50;
UPDATE {t} SET c_int = 9 WHERE id >= 60;
-- error 1100
SELECT COUNT(*) FROM {t} AS b;
-- text
UNLOCK TABLES;

-- Without autocommit.
SET autocommit = 0;
-- text
LOCK TABLES {t} WRITE;
INSERT INTO {t} (id, grp, day, code) VALUES (90, 0, '{day}', 'a'), (91, 1, '{day}', 'b'), (92, 2, '{day}', 'c');
ROLLBACK;
SELECT COUNT(*) FROM {t} WHERE id >= 90;
INSERT INTO {t} (id, grp, day, code) VALUES (90, 0, '{day}', 'a'), (91, 1, '{day}', 'b'), (92, 2, '{day}', 'c');
SAVEPOINT a;
UPDATE {t} SET c_int = 10 WHERE id >= 90;
ROLLBACK TO SAVEPOINT a;
COMMIT;
SELECT id, c_int FROM {t} WHERE id >= 90 ORDER BY id;
-- session two
-- error 1205
SELECT COUNT(*) FROM {t};
-- session main
UPDATE {t} SET c_int = 11 WHERE id >= 90;
-- text
UNLOCK TABLES;
ROLLBACK;
SELECT id, c_int FROM {t} WHERE id >= 90 ORDER BY id;
-- session two
UPDATE {t} SET c_int = 12 WHERE id >= 90;
-- session main
COMMIT;
SET autocommit = 1;

-- What ends locks.
-- text
LOCK TABLES {t} WRITE;
-- text
BEGIN;
-- session two
UPDATE {t} SET c_int = 13 WHERE id >= 90;
-- session main
COMMIT;
-- text
LOCK TABLES {t} WRITE;
-- error 1146
-- text
LOCK TABLES {t} READ, no_such_table READ;
-- session two
UPDATE {t} SET c_int = 14 WHERE id >= 90;
-- session main
SELECT DISTINCT c_int FROM {t} WHERE id >= 90;
DROP TABLE {t};
