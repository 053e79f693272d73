-- Constructs over several shards that other files do not have: locks, hints, partitions, introducers, tables of values.
DROP TABLE IF EXISTS items;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS regions;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS settings;
DROP TABLE IF EXISTS t_both;
DROP TABLE IF EXISTS t_hash;
CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(30) COLLATE {ai_ci}, KEY by_name (name));
CREATE TABLE users (id BIGINT PRIMARY KEY, region_id INT, name VARCHAR(50) COLLATE {ai_ci} NOT NULL, tags JSON, KEY by_region (region_id), KEY by_name (name));
CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, total DECIMAL(12,2), placed DATETIME, PRIMARY KEY (id, user_id), KEY by_user (user_id), KEY by_total (total));
CREATE TABLE settings (name VARCHAR(30) PRIMARY KEY, value VARCHAR(100));
CREATE TABLE t_hash (id INT NOT NULL PRIMARY KEY, n INT, s VARCHAR(20) CHARACTER SET latin1) PARTITION BY HASH (id) PARTITIONS 3;
CREATE TABLE t_both (id INT NOT NULL, grp INT NOT NULL, n INT, PRIMARY KEY (id, grp));
INSERT INTO regions VALUES (1, 'North'), (2, 'south'), (3, 'East'), (4, 'west');
INSERT INTO users VALUES (1, 1, 'Ann', '["a", "b"]'), (2, 2, 'bob', '[]'), (3, 1, 'Cid', NULL), (4, NULL, 'dora', '["c"]'), (5, 3, 'Eve', '["a", "d", "e"]'), (6, 9, 'Fay', '{"x": 1}');
INSERT INTO orders VALUES (10, 1, 100.00, '2024-01-01 10:00:00'), (11, 1, 50.50, '2024-01-02 10:00:00'), (12, 2, 75.25, '2024-01-02 11:00:00'), (13, 3, NULL, NULL), (14, 5, 20.00, '2024-02-01 00:00:00'), (15, 5, 20.00, '2024-02-02 00:00:00'), (16, 7, 1.00, '2024-03-01 00:00:00');
INSERT INTO settings VALUES ('currency', 'EUR'), ('tax', '0.2');
INSERT INTO t_hash VALUES (1, 1, 'a'), (2, 2, 'B'), (3, 3, 'c'), (4, 1, 'D'), (5, 2, 'e'), (6, 3, 'F'), (7, 1, NULL);
INSERT INTO t_both VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 1);

-- Locks in a transaction, routed, merged and combined.
BEGIN;
SELECT id, n FROM t_hash WHERE n = 1 ORDER BY id FOR UPDATE;
SELECT id, n FROM t_hash WHERE n = 1 ORDER BY id LOCK IN SHARE MODE;
SELECT id, n FROM t_hash WHERE n = 1 ORDER BY id LIMIT 2 FOR UPDATE;
-- only mysql
SELECT id, n FROM t_hash WHERE n = 1 ORDER BY id FOR SHARE;
SELECT id, n FROM t_hash WHERE n = 1 ORDER BY id FOR UPDATE NOWAIT;
SELECT id, n FROM t_hash WHERE n = 1 ORDER BY id FOR UPDATE SKIP LOCKED;
-- only mysql
SELECT u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2 FOR UPDATE OF u;
-- only mysql
SELECT u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2 FOR UPDATE OF u NOWAIT FOR SHARE OF h SKIP LOCKED;
SELECT u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2 FOR UPDATE;
SELECT u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2 FOR UPDATE NOWAIT;
SELECT u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2 FOR UPDATE SKIP LOCKED;
SELECT u.name, COUNT(*) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.name ORDER BY 1 FOR UPDATE;
SELECT u.name, s.value FROM users u, settings s WHERE s.name = 'tax' ORDER BY 1 FOR UPDATE;
SELECT id FROM users WHERE region_id = (SELECT MAX(n) FROM t_hash) FOR UPDATE;
SELECT id FROM (SELECT id FROM t_hash WHERE n = 2 FOR UPDATE) d ORDER BY id;
(SELECT id FROM t_hash WHERE n = 2 FOR UPDATE) UNION ALL (SELECT id FROM users WHERE id < 3 FOR UPDATE) ORDER BY 1;
COMMIT;
-- A row that another session holds.
BEGIN;
SELECT id FROM t_hash WHERE id = 3 FOR UPDATE;
-- session other
BEGIN;
-- error 1205 3572
SELECT id, n FROM t_hash WHERE n = 3 ORDER BY id FOR UPDATE NOWAIT;
SELECT id, n FROM t_hash WHERE n = 3 ORDER BY id FOR UPDATE SKIP LOCKED;
SELECT h.id, u.id FROM t_hash h JOIN users u ON u.region_id = h.n WHERE h.n = 3 ORDER BY 1 FOR UPDATE SKIP LOCKED;
-- error 1205 3572
SELECT h.id, u.id FROM t_hash h JOIN users u ON u.region_id = h.n WHERE h.n = 3 ORDER BY 1 FOR UPDATE NOWAIT;
ROLLBACK;
-- session main
ROLLBACK;

-- Index hints and optimizer hints.
SELECT id FROM users USE INDEX (by_region) WHERE region_id = 1 ORDER BY id;
SELECT id FROM users FORCE INDEX FOR ORDER BY (by_name) ORDER BY name;
SELECT id FROM users IGNORE INDEX (by_region, by_name) WHERE region_id = 1 ORDER BY id;
SELECT u.id, h.id FROM users u FORCE INDEX (by_region) JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2;
SELECT u.id, o.id FROM users AS u USE INDEX FOR JOIN (PRIMARY) JOIN orders AS o FORCE INDEX (by_total) ON o.total > u.id * 20 ORDER BY 1, 2;
-- error 1176
SELECT id FROM users USE INDEX (nothing) ORDER BY id;
-- error 1176
SELECT u.id FROM users u USE INDEX (nothing) JOIN t_hash h ON h.n = u.region_id;
SELECT /*+ BKA(u) */ u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2;
SELECT /*+ MAX_EXECUTION_TIME(10000) */ COUNT(*) FROM users u JOIN t_hash h ON h.n = u.region_id;
SELECT /*+ NO_SEMIJOIN() */ id FROM users WHERE region_id IN (SELECT n FROM t_hash) ORDER BY id;
-- only mysql
SELECT /*+ SET_VAR(sort_buffer_size = 262144) JOIN_ORDER(h, u) */ u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2;
SELECT SQL_NO_CACHE SQL_BIG_RESULT DISTINCT n FROM t_hash ORDER BY n;
SELECT HIGH_PRIORITY SQL_BUFFER_RESULT u.id FROM users u JOIN t_hash h ON h.n = u.region_id AND h.id = 1 ORDER BY 1;

-- Partitions.
SELECT id FROM t_hash PARTITION (p0) ORDER BY id;
SELECT id FROM t_hash PARTITION (p0, p2) AS h ORDER BY id DESC;
SELECT COUNT(*), SUM(n) FROM t_hash PARTITION (p1);
SELECT h.id, u.id FROM t_hash PARTITION (p1) h JOIN users u ON u.region_id = h.n ORDER BY 1, 2;
SELECT h.id, k.id FROM t_hash PARTITION (p1) h JOIN t_hash PARTITION (p2) k ON k.n = h.n ORDER BY 1, 2;
SELECT id FROM users WHERE region_id IN (SELECT n FROM t_hash PARTITION (p2)) ORDER BY id;
SELECT id FROM t_hash PARTITION (p0) UNION SELECT id FROM t_hash PARTITION (p1) ORDER BY 1;
-- error 1735
SELECT id FROM t_hash PARTITION (p9) ORDER BY id;
-- error 1735
SELECT h.id FROM t_hash PARTITION (p9) h JOIN users u ON u.region_id = h.n;
UPDATE t_hash PARTITION (p1) SET s = 'x' WHERE n = 1;
SELECT id, s FROM t_hash ORDER BY id;

-- Introducers, literals of character sets, COLLATE, hex and bit literals, dates.
SELECT u.name, _latin1'x' AS a, _utf8mb4'ü' AS b, _binary'z' AS c, N'ñ' AS d, x'4142' AS e, b'01000001' AS f FROM users u JOIN t_hash h ON h.id = u.region_id WHERE u.id < 3 ORDER BY u.id;
SELECT h.s, u.name FROM t_hash h JOIN users u ON u.region_id = h.n WHERE h.s = _latin1'a' COLLATE latin1_bin OR h.s = _utf8mb4'b' ORDER BY 1, 2;
SELECT h.s, _latin1'é' AS a, CONCAT(h.s, _latin1'é') AS b FROM t_hash h JOIN users u ON u.region_id = h.n WHERE h.id < 3 ORDER BY 1, 2, u.id;
SELECT DATE'2024-01-01' AS a, TIME'10:00:00' AS b, TIMESTAMP'2024-01-01 10:00:00' AS c, o.id FROM orders o JOIN t_hash h ON h.n = o.user_id WHERE o.placed = TIMESTAMP'2024-01-01 10:00:00' ORDER BY o.id, h.id;
SELECT {d '2024-01-01'} AS a, h.id FROM t_hash h JOIN users u ON u.region_id = h.n ORDER BY h.id, u.id;
SELECT 'a' 'b' AS ab, "c" 'd' FROM t_hash h JOIN users u ON u.region_id = h.n ORDER BY h.id LIMIT 1;

-- TABLE and VALUES.
-- only mysql
TABLE users ORDER BY id;
-- only mysql
TABLE t_hash ORDER BY id DESC LIMIT 3;
-- only mysql
TABLE t_hash ORDER BY n, id LIMIT 2 OFFSET 2;
-- only mysql
TABLE regions UNION TABLE settings ORDER BY 1, 2;
-- only mysql
SELECT id FROM users WHERE EXISTS (TABLE t_both) ORDER BY id;
-- only mysql
SELECT * FROM (TABLE t_hash) d JOIN users u ON u.region_id = d.n ORDER BY d.id, u.id;
-- only mysql
WITH c AS (TABLE t_hash) SELECT COUNT(*), MAX(c.s) FROM c JOIN users u ON u.region_id = c.n;
-- only mysql
VALUES ROW(1, 'a'), ROW(2, 'b') ORDER BY 1 DESC;
-- only mysql
SELECT u.name, v.* FROM users u JOIN (VALUES ROW(1, 'one'), ROW(3, 'three')) AS v (k, w) ON v.k = u.region_id ORDER BY u.id;
-- only mysql
SELECT id FROM users UNION ALL VALUES ROW(100), ROW(101) ORDER BY 1;
-- only mysql
SELECT v.k, h.id, u.id FROM (VALUES ROW(1), ROW(2)) AS v (k) JOIN t_hash h ON h.n = v.k JOIN users u ON u.region_id = v.k ORDER BY 1, 2, 3;
-- only mariadb
VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC;
-- only mariadb
SELECT id FROM users UNION ALL VALUES (100), (101) ORDER BY 1;
-- only mariadb
WITH v (k, w) AS (VALUES (1, 'one'), (3, 'three')) SELECT u.name, v.* FROM users u JOIN v ON v.k = u.region_id ORDER BY u.id;

-- JSON_TABLE.
SELECT u.id, j.tag, j.o FROM users u, JSON_TABLE(u.tags, '$[*]' COLUMNS (o FOR ORDINALITY, tag VARCHAR(10) PATH '$')) AS j ORDER BY u.id, j.o;
SELECT u.id, j.tag FROM users u LEFT JOIN JSON_TABLE(u.tags, '$[*]' COLUMNS (tag VARCHAR(10) PATH '$' DEFAULT '"none"' ON EMPTY NULL ON ERROR)) AS j ON TRUE ORDER BY u.id, j.tag;
SELECT j.tag, COUNT(*) FROM users u JOIN JSON_TABLE(u.tags, '$[*]' COLUMNS (tag VARCHAR(10) PATH '$')) AS j GROUP BY j.tag ORDER BY 1;
SELECT u.id, h.id, j.tag FROM users u JOIN t_hash h ON h.n = u.region_id JOIN JSON_TABLE(u.tags, '$[*]' COLUMNS (tag VARCHAR(10) PATH '$')) AS j ORDER BY 1, 2, 3;
SELECT h.id, j.v FROM t_hash h JOIN JSON_TABLE('[1, 3]', '$[*]' COLUMNS (v INT PATH '$')) AS j ON j.v = h.n ORDER BY 1;
-- MySQL 9.7 takes the table of one row for those of all where it makes a semi-join of this.
-- only mariadb
SELECT u.id FROM users u WHERE 'a' IN (SELECT j.tag FROM JSON_TABLE(u.tags, '$[*]' COLUMNS (tag VARCHAR(10) PATH '$')) AS j) ORDER BY u.id;
SELECT h.id FROM t_hash h WHERE h.n IN (SELECT j.v FROM JSON_TABLE('[1, 3]', '$[*]' COLUMNS (v INT PATH '$', NESTED PATH '$.x' COLUMNS (w INT PATH '$'))) AS j) ORDER BY h.id;

-- LATERAL.
-- only mysql
SELECT u.id, d.top FROM users u, LATERAL (SELECT MAX(o.total) AS top FROM orders o WHERE o.user_id = u.id) d ORDER BY u.id;
-- only mysql
SELECT u.id, d.id FROM users u LEFT JOIN LATERAL (SELECT o.id FROM orders o WHERE o.user_id = u.id ORDER BY o.total DESC, o.id LIMIT 1) d ON TRUE ORDER BY u.id;
-- only mysql
SELECT u.id, d.id FROM users u JOIN LATERAL (SELECT h.id FROM t_hash h WHERE h.n = u.region_id ORDER BY h.id DESC LIMIT 2) d ORDER BY 1, 2;
-- only mysql
SELECT u.id, d.x, e.y FROM users u, LATERAL (SELECT COUNT(*) AS x FROM t_hash h WHERE h.n = u.region_id) d, LATERAL (SELECT MAX(h.id) AS y FROM t_hash h WHERE h.id <= d.x) e ORDER BY 1;
-- only mysql
SELECT u.id, (SELECT d.m FROM LATERAL (SELECT MAX(h.id) AS m FROM t_hash h WHERE h.n = u.region_id) d) AS m FROM users u ORDER BY 1;

-- STRAIGHT_JOIN, NATURAL, USING, CROSS, nested joins.
SELECT STRAIGHT_JOIN u.id, h.id FROM users u JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2;
SELECT u.id, h.id FROM users u STRAIGHT_JOIN t_hash h ON h.n = u.region_id ORDER BY 1, 2;
SELECT u.id, o.id FROM users u STRAIGHT_JOIN orders o ON o.user_id = u.id ORDER BY 1, 2;
SELECT * FROM t_hash NATURAL JOIN t_both ORDER BY id;
SELECT * FROM t_hash NATURAL LEFT JOIN t_both ORDER BY id;
SELECT * FROM t_hash NATURAL RIGHT JOIN t_both ORDER BY id;
SELECT id, n, s, grp FROM t_hash NATURAL JOIN t_both WHERE grp > 1 ORDER BY id;
SELECT * FROM t_hash JOIN t_both USING (id) ORDER BY id;
SELECT * FROM t_hash JOIN t_both USING (n) ORDER BY n, t_hash.id, t_both.id;
SELECT n, t_hash.id, t_both.id FROM t_hash LEFT JOIN t_both USING (n) ORDER BY 1, 2, 3;
SELECT * FROM users NATURAL JOIN regions ORDER BY id;
SELECT COUNT(*) FROM t_hash CROSS JOIN t_both CROSS JOIN users;
SELECT u.id, h.id, b.grp FROM users u LEFT JOIN (t_hash h JOIN t_both b ON b.id = h.id) ON h.n = u.region_id ORDER BY 1, 2, 3;
SELECT u.id, o.id, h.s FROM (users u JOIN orders o ON o.user_id = u.id) RIGHT JOIN t_hash h ON h.n = u.region_id ORDER BY h.id, u.id, o.id;
SELECT a.id, b.id, c.id FROM t_hash a, t_hash b, t_hash c WHERE a.n = b.n AND b.id = c.n AND c.id < 4 ORDER BY 1, 2, 3;
SELECT * FROM { OJ t_hash h LEFT OUTER JOIN t_both b ON b.n = h.id } ORDER BY h.id, b.id;
DROP TABLE t_hash;
DROP TABLE t_both;
