-- Statements that Margay once answered otherwise than a server, as the generator (tests/it/fuzz) made them
-- Small. It writes new ones to MARGAY_FUZZ_REPORT in the form of this file.
-- The tables of the generator, by their rules.
DROP TABLE IF EXISTS h_users;
CREATE TABLE h_users (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, name VARCHAR(50) COLLATE utf8mb4_general_ci NULL, PRIMARY KEY (id, grp));
INSERT INTO h_users (id, grp, ref, name) VALUES (1, 0, 2, 'a'), (2, 1, NULL, 'A '), (3, 1, 1, NULL);
DROP TABLE IF EXISTS h_orders;
CREATE TABLE h_orders (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NOT NULL, money DECIMAL(10,2) NULL, PRIMARY KEY (id, grp, ref));
INSERT INTO h_orders (id, grp, ref, money) VALUES (1, 0, 1, 1.10), (2, 0, 1, NULL), (3, 4, 3, -0.05);
SELECT u.name, o.money FROM h_users u LEFT JOIN h_orders o ON o.ref = u.id ORDER BY u.id, o.id;
-- Grouping is judged by keys also where no server has all tables.
DROP TABLE IF EXISTS r_left;
CREATE TABLE r_left (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, few INT NULL, PRIMARY KEY (id));
INSERT INTO r_left (id, grp, ref, few) VALUES (1, 0, 2, 5), (2, 1, 1, 6);
DROP TABLE IF EXISTS r_right;
CREATE TABLE r_right (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, animal VARCHAR(10) NULL, PRIMARY KEY (id, grp));
INSERT INTO r_right (id, grp, ref, animal) VALUES (1, 0, 2, 'yak'), (1, 1, 1, 'a'), (2, 1, 1, NULL);
-- only mysql
-- error 1055
SELECT l.few FROM r_left l JOIN r_right r ON r.id = l.id GROUP BY r.grp;
-- only mysql
-- error 1055
SELECT r.animal FROM r_left l JOIN r_right r ON r.id = l.id GROUP BY r.id;
SELECT l.few, l.grp + COUNT(r.animal) AS n FROM r_left l JOIN r_right r ON r.id = l.id GROUP BY l.id;
SELECT r.animal, r.grp FROM r_left l JOIN r_right r ON r.id = l.id GROUP BY r.grp, r.id;
-- A text that is all NULL, and the greatest of a SET.
DROP TABLE IF EXISTS h_solo;
CREATE TABLE h_solo (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, marks SET('a','b','c') NULL, PRIMARY KEY (id, grp));
SELECT MAX(h_solo.marks) AS c2 FROM h_solo STRAIGHT_JOIN h_orders AS a1 ON TRUE;
-- Parameters leave open which kind of text it is.
-- text
SELECT c8 FROM h_orders LEFT JOIN (SELECT MAX(NULL) AS c8 FROM h_users AS a6) AS d10 ON TRUE ORDER BY h_orders.id LIMIT 1;
-- Common table expressions that nothing reads, with parameters.
WITH RECURSIVE e1 (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM e1 WHERE n < 4), e2 AS (SELECT MIN(a6.id) AS c FROM h_orders a6 WHERE NOT EXISTS (SELECT a8.id FROM r_left a8 WHERE a8.few = 7)) SELECT n, 'x' AS x FROM e1 ORDER BY n;
WITH e1 AS (SELECT few + 1 AS c FROM r_left WHERE few > 2) SELECT 1 AS one FROM r_right HAVING COUNT(*) <= 9;
-- What a write reads breaks the rules of a strict sql_mode.
-- error 1292
INSERT INTO h_users (id, grp, ref) SELECT o.id + 100, 0, CAST(CONCAT('a', o.id) AS SIGNED) FROM h_orders o;
-- error 1292
UPDATE h_users u JOIN h_orders o ON o.id = u.id SET u.ref = 5 WHERE u.id + CONCAT('1a', o.grp) > 0;
-- only mysql
-- error 1292
DELETE u FROM h_users u JOIN h_orders o ON o.id = u.id WHERE u.id + CONCAT('1a', o.grp) > 0;
-- ignore warnings info
INSERT IGNORE INTO h_users (id, grp, ref) SELECT o.id + 100, 0, CAST(CONCAT('3a', o.id) AS SIGNED) FROM h_orders o;
SELECT id, grp, ref FROM h_users ORDER BY id;
-- Rows that a write locks, beside a collation that is asked for.
DROP TABLE IF EXISTS r_range;
-- only mariadb
CREATE TABLE r_range (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, marks SET('a','b','c') COLLATE utf8mb4_uca1400_ai_ci NULL, PRIMARY KEY (id, grp));
-- only mariadb
INSERT INTO r_range (id, grp, ref, marks) VALUES (1, 0, 2, 'a'), (7, 1, 1, 'a,b'), (12, 1, 1, NULL);
-- only mariadb
UPDATE r_left SET r_left.few = r_left.few + 1 WHERE (CAST(r_left.id AS DECIMAL(20,4)) NOT IN (SELECT r.ref + 5 FROM r_range RIGHT JOIN r_right AS r ON r_range.marks = r.animal WHERE r_left.grp <=> 3));
SELECT * FROM r_left ORDER BY id;
-- Tables of which no row can be in the answer, on different clusters and split into physical tables.
DROP TABLE IF EXISTS p_one;
CREATE TABLE p_one (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, num INT NULL, PRIMARY KEY (id, grp));
INSERT INTO p_one (id, grp, ref, num) VALUES (1, 0, 2, 5);
DROP TABLE IF EXISTS p_parts;
CREATE TABLE p_parts (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, PRIMARY KEY (id, grp));
INSERT INTO p_parts (id, grp, ref) VALUES (1, 0, 2), (2, 0, 2);
SELECT a1.num FROM p_one AS a1 INNER JOIN p_parts ON a1.id = p_parts.ref AND (7 = 1);
SELECT p_parts.ref FROM p_one AS a1 INNER JOIN p_parts ON TRUE WHERE a1.id = 1 AND p_parts.id = NULL;
-- A subquery of several rows where no row asks for it.
DROP TABLE IF EXISTS h_flags;
CREATE TABLE h_flags (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, note TEXT NULL, PRIMARY KEY (id, grp));
INSERT INTO h_flags (id, grp, ref, note) VALUES (1, 0, 2, 'a'), (2, 0, 2, 'b');
SELECT a.note FROM h_flags AS a LEFT JOIN (h_solo JOIN (SELECT (SELECT 5 FROM h_orders) AS c FROM h_users) AS d ON TRUE) ON TRUE GROUP BY a.note;
-- error 1242
SELECT a.note, (SELECT o.id FROM h_orders o) AS c FROM h_flags AS a GROUP BY a.note;
-- MIN and MAX of a constant over an outer join without rows.
SELECT MAX(TIMESTAMP'2024-02-29 12:34:56') AS m, MIN(5) AS n FROM h_solo AS e LEFT JOIN h_solo AS f ON e.ref = f.grp;
SELECT u.id FROM h_users u WHERE (SELECT MAX(5) FROM h_solo AS e LEFT JOIN h_solo AS f ON e.ref = f.grp) <> u.id;
-- Bits are a number or bytes as what stands beside them wants.
DROP TABLE IF EXISTS h_bag;
CREATE TABLE h_bag (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, bits BIT(10) NULL);
INSERT INTO h_bag (id, grp, ref, bits) VALUES (1, 0, 2, b'101'), (2, 0, 2, b'0');
SELECT CASE WHEN (b.bits IN (SELECT b'101' AS c FROM h_orders)) THEN b.id END AS c FROM h_bag b ORDER BY b.id;
-- An invalid statement leaves the transaction as it is.
BEGIN;
UPDATE h_users SET ref = 9 WHERE id = 1;
-- error 1241
DELETE FROM r_left WHERE (few, grp) IN (SELECT r.ref FROM r_right r WHERE r.grp = r_left.ref);
SELECT ref FROM h_users WHERE id = 1;
ROLLBACK;
SELECT ref FROM h_users WHERE id = 1;
-- Parameters of parts have the types that the whole gives them.
SELECT (1 + 1) AS c, CONCAT(1) AS s, a.id FROM h_orders a JOIN h_bag b ON a.id = b.ref ORDER BY a.id, b.id;
SELECT (1 + 1) AS c, a.id FROM h_orders a JOIN h_bag b ON a.id = b.ref ORDER BY a.id, b.id;
SELECT JSON_VALID('zebra') AS c, CONCAT(1) AS s, o.id + 1 AS d FROM h_orders o JOIN h_bag b ON o.id = b.ref ORDER BY o.id, b.id;
SELECT -1 AS c, o.money + 1 AS d, CASE WHEN b.id > 1 THEN 1 ELSE 2.5 END AS e FROM h_orders o JOIN h_bag b ON o.ref = b.ref ORDER BY o.id, b.id;
-- Values of another table compare by its types and collations, bits and texts alike.
DROP TABLE IF EXISTS s_id;
CREATE TABLE s_id (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, smallu SMALLINT UNSIGNED NULL, bits BIT(10) NULL, note TEXT COLLATE utf8mb4_general_ci NULL, PRIMARY KEY (id, grp));
INSERT INTO s_id (id, grp, ref, smallu, bits, note) VALUES (1, 0, 2, 7, b'1', '10'), (2, 1, 1, 8, b'11', 'x'), (3, 1, 9, 9, NULL, NULL);
DROP TABLE IF EXISTS s_tag;
CREATE TABLE s_tag (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, tag VARCHAR(20) COLLATE utf8mb4_bin NOT NULL, bits_t BIT(10) NOT NULL, word VARCHAR(20) COLLATE utf8mb4_bin NULL, PRIMARY KEY (id, grp, tag));
INSERT INTO s_tag (id, grp, ref, tag, bits_t, word) VALUES (1, 0, 2, 'b', b'1111111111', 'B'), (2, 1, 1, 'A', b'101', 'a'), (3, 1, 9, 'c', b'11', NULL);
BEGIN;
UPDATE s_id AS a LEFT JOIN s_tag AS t ON t.id = a.ref SET a.bits = COALESCE(t.bits_t, b'1');
UPDATE s_id AS a LEFT JOIN s_tag AS t ON t.id = a.id SET a.smallu = CASE WHEN (t.tag < t.word) THEN NULL ELSE a.smallu END;
SELECT id, smallu, bits + 0 AS b FROM s_id ORDER BY id;
ROLLBACK;
-- An assignment before changes what a subquery of another place compares with.
-- refused: which is assigned before, is not supported over several shards
UPDATE s_id AS a SET a.note = COALESCE(NULLIF(a.note, '10'), 'q'), a.smallu = CASE WHEN (a.note NOT IN (SELECT t.tag FROM s_tag t GROUP BY t.tag)) THEN 1 ELSE a.smallu END;
-- A quotient has more digits than it shows, in a subquery too.
SELECT o.id, (SELECT AVG(u.id) / 3 FROM h_users u WHERE u.id < 3) * 3 AS q, (SELECT AVG(u.id) FROM h_users u) > 1.9999 AS c FROM h_orders o ORDER BY o.id;
-- The collation of a function's text in a derived table.
SELECT t.id, d.c FROM (SELECT JSON_TYPE(JSON_ARRAY(u.id)) AS c, u.id AS k FROM h_users u) d JOIN s_tag t ON d.c > t.tag ORDER BY t.id, d.k;
-- A table of one row or none is none of constants.
SELECT h.id, (SELECT GROUP_CONCAT(DISTINCT FORMAT(o.money, 2) ORDER BY NULL DESC) FROM h_orders o WHERE o.id = 2) AS c FROM h_users h GROUP BY h.id, h.grp ORDER BY h.id;
SELECT COUNT(*) AS n FROM h_users u JOIN h_orders o ON (NULL > ALL (SELECT DATE'2024-02-29' FROM s_tag t WHERE t.bits_t = 9));
-- only mariadb
SELECT u.id, (SELECT MAX(NULL) FROM s_tag t) COLLATE utf8mb4_bin AS c FROM h_users u ORDER BY u.id;
-- Parameters that have the types of their values, but not for LIMIT alone.
SELECT SUM(1) OVER w AS s, o.id FROM h_orders o JOIN s_tag t ON t.ref = o.id WINDOW w AS (ORDER BY o.id) ORDER BY o.id, t.id LIMIT 2;
SELECT MAX(IF(TRUE, 'yes', 'no')) AS c, GROUP_CONCAT(o.grp ORDER BY 1 DESC) AS g FROM h_orders o JOIN s_tag t ON t.ref = o.id GROUP BY t.grp ORDER BY t.grp;
-- Rows that are ordered by what they do not show are distinct all the same.
DROP TABLE IF EXISTS r_list;
CREATE TABLE r_list (id INT NOT NULL, grp SMALLINT NOT NULL, ref INT NULL, PRIMARY KEY (id, grp));
INSERT INTO r_list (id, grp, ref) VALUES (1, 1, 5), (2, 1, 6), (3, 2, 7), (4, 2, 7);
-- only mysql
-- error 3065
SELECT DISTINCT grp FROM r_list ORDER BY ref;
-- only mariadb
SELECT DISTINCT grp FROM r_list ORDER BY ref;
SELECT DISTINCT grp, ref FROM r_list ORDER BY ref, grp;
