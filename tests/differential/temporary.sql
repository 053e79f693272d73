-- Temporary tables, on a connection of the session's own.
CREATE TEMPORARY TABLE tmp (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20) COLLATE {ai_ci}, n DECIMAL(10,2));
INSERT INTO tmp (name, n) VALUES ('a', 1.5), ('b', 2.5);
SELECT LAST_INSERT_ID();
SELECT * FROM tmp ORDER BY id;
SELECT COUNT(*), SUM(n) FROM tmp WHERE id > 0;
UPDATE tmp SET n = n + 1 WHERE name = 'a';
DELETE FROM tmp WHERE id = 2;
SELECT id, name, n FROM shop.tmp;
DESCRIBE tmp;
SHOW COLUMNS FROM tmp;
SHOW CREATE TABLE tmp;
-- error 1050
CREATE TEMPORARY TABLE tmp (a INT);
CREATE TEMPORARY TABLE IF NOT EXISTS tmp (a INT);
ALTER TABLE tmp ADD COLUMN extra INT DEFAULT 7;
SELECT * FROM tmp;
CREATE INDEX by_name ON tmp (name);
TRUNCATE TABLE tmp;
SELECT COUNT(*) FROM tmp;

-- Beside other tables.
DROP TABLE IF EXISTS t_hash;
DROP TABLE IF EXISTS plain;
CREATE TABLE plain (id INT PRIMARY KEY, body VARCHAR(20));
INSERT INTO plain VALUES (1, 'one'), (2, 'two');
INSERT INTO tmp (id, name) SELECT id, body FROM plain;
SELECT t.id, p.body FROM tmp t JOIN plain p ON p.id = t.id ORDER BY t.id;
INSERT INTO plain SELECT id + 10, name FROM tmp;
SELECT COUNT(*) FROM plain;
CREATE TEMPORARY TABLE tmp2 AS SELECT id, body FROM plain WHERE id < 10;
SELECT * FROM tmp2 ORDER BY id;
CREATE TEMPORARY TABLE tmp3 LIKE plain;
SELECT COUNT(*) FROM tmp3;
CREATE TABLE t_hash (id INT PRIMARY KEY, body VARCHAR(20));
INSERT INTO t_hash VALUES (1, 'x'), (2, 'y'), (3, 'z'), (4, 'w');
INSERT INTO tmp3 SELECT id, body FROM t_hash WHERE id > 1;
SELECT * FROM tmp3 ORDER BY id;
INSERT INTO t_hash SELECT id + 100, body FROM tmp3;
SELECT * FROM t_hash ORDER BY id;
-- refused
SELECT t.id FROM tmp3 t JOIN t_hash h ON h.id = t.id ORDER BY 1;

-- In transactions.
START TRANSACTION;
INSERT INTO tmp3 VALUES (50, 'rolled back');
INSERT INTO t_hash VALUES (50, 'rolled back');
INSERT INTO t_hash VALUES (51, 'rolled back');
SELECT COUNT(*) FROM tmp3;
ROLLBACK;
SELECT COUNT(*) FROM tmp3;
SELECT COUNT(*) FROM t_hash;
START TRANSACTION;
INSERT INTO t_hash VALUES (60, 'kept'), (61, 'kept');
CREATE TEMPORARY TABLE inside (a INT);
INSERT INTO inside VALUES (1);
COMMIT;
SELECT * FROM inside;
SELECT COUNT(*) FROM t_hash;
SET autocommit = 0;
INSERT INTO inside VALUES (2);
ROLLBACK;
SET autocommit = 1;
SELECT * FROM inside;

-- Dropping.
DROP TEMPORARY TABLE tmp2;
-- error 1146
SELECT * FROM tmp2;
DROP TABLE tmp, tmp3;
-- error 1051
DROP TEMPORARY TABLE tmp;
DROP TEMPORARY TABLE IF EXISTS tmp;
-- error 1146
SELECT * FROM tmp;
DROP TABLE inside;
DROP TABLE plain;
DROP TABLE t_hash;
CREATE TEMPORARY TABLE again (a INT);
SET @a = 1;
INSERT INTO again VALUES (@a), (2);
SELECT a FROM again WHERE a = @a;
SET NAMES latin1;
SELECT a FROM again ORDER BY a;
SET NAMES utf8mb4;
SET timestamp = 1000000;
SELECT a, NOW() FROM again ORDER BY a;
SET timestamp = DEFAULT;
DROP TABLE again;
