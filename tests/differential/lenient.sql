-- Values that do not fit the key, with and without a strict sql_mode.
DROP TABLE IF EXISTS t_hash;
DROP TABLE IF EXISTS t_text;
DROP TABLE IF EXISTS t_modulo;
DROP TABLE IF EXISTS t_ring;
DROP TABLE IF EXISTS t_both;
CREATE TABLE t_hash (id INT NOT NULL, v VARCHAR(3), PRIMARY KEY (id));
CREATE TABLE t_modulo (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, v INT);
CREATE TABLE t_ring (id DECIMAL(5,2) NOT NULL PRIMARY KEY, v INT);
CREATE TABLE t_text (code VARCHAR(3) CHARACTER SET utf8mb4 COLLATE {ai_ci} NOT NULL PRIMARY KEY, v INT);
CREATE TABLE t_both (id BIGINT NOT NULL, grp SMALLINT NOT NULL, PRIMARY KEY (id, grp));

-- error 1264
INSERT INTO t_hash VALUES (99999999999, 'a');
-- text
-- error 1264
INSERT INTO t_modulo VALUES (-1, 1);
-- error 1406
INSERT INTO t_text VALUES ('abcdef', 1);
-- error 1264
INSERT INTO t_ring VALUES (12345, 1);
INSERT INTO t_hash VALUES (1.5, 'b');
SELECT * FROM t_hash WHERE id = 2;
INSERT INTO t_text VALUES ('xyz    ', 2);
SELECT * FROM t_text WHERE code = 'xyz';
INSERT IGNORE INTO t_hash VALUES (99999999999, 'a');
SELECT * FROM t_hash WHERE id = 2147483647;
SELECT * FROM t_hash ORDER BY id;

SET sql_mode = '';
-- text
INSERT INTO t_hash VALUES (-99999999999, 'abcdef'), (3, 'x'), (-2.5, 'y');
SELECT * FROM t_hash WHERE id = -2147483648;
SELECT * FROM t_hash WHERE id = -3;
SELECT * FROM t_hash ORDER BY id;
-- text
INSERT INTO t_modulo VALUES (-1, 1), (300, 2), (2.4, 3);
SELECT * FROM t_modulo WHERE id = 0;
SELECT * FROM t_modulo WHERE id = 255;
SELECT * FROM t_modulo ORDER BY id;
INSERT INTO t_text VALUES ('abcdef', 1), ('äöüß', 2), (12345, 3);
SELECT * FROM t_text WHERE code = 'abc';
SELECT * FROM t_text WHERE code = 'äöü';
SELECT * FROM t_text WHERE code = '123';
SELECT * FROM t_text ORDER BY code;
-- error 1062
INSERT INTO t_text VALUES ('abcxyz', 9);
INSERT INTO t_text VALUES ('abcxyz', 9) ON DUPLICATE KEY UPDATE v = 10;
SELECT * FROM t_text WHERE code = 'abc';
-- text
INSERT INTO t_ring VALUES (12345, 1), (-12345.5, 2), (1.5, 3);
SELECT * FROM t_ring WHERE id = 999.99;
SELECT * FROM t_ring WHERE id = -999.99;
SELECT * FROM t_ring ORDER BY id;
-- text
INSERT INTO t_both VALUES (99999999999999999999999, 99999), (1, -99999);
SELECT * FROM t_both WHERE id = 9223372036854775807 AND grp = 32767;
SELECT * FROM t_both WHERE id = 1 AND grp = -32768;
SELECT * FROM t_both ORDER BY id;
-- refused
INSERT INTO t_hash VALUES ('7x', 'z');
SET sql_mode = DEFAULT;
DROP TABLE t_hash;
DROP TABLE t_text;
DROP TABLE t_modulo;
DROP TABLE t_ring;
DROP TABLE t_both;
