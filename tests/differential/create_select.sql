-- tables: t_single t_other t_broadcast t_hash t_time t_both
-- CREATE TABLE ... SELECT into each kind of table, from tables of all kinds.
DROP TABLE IF EXISTS items;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS regions;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS settings;
-- ignore warnings
DROP TABLE IF EXISTS {t};
CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(30) COLLATE {ai_ci});
-- MySQL warns of what is out of date when it prepares, Margay when it runs.
-- ignore warnings
CREATE TABLE users (id BIGINT PRIMARY KEY, region_id INT DEFAULT 7 COMMENT 'where', name VARCHAR(50) COLLATE {ai_ci} NOT NULL, email VARCHAR(80) COLLATE utf8mb4_bin, born TIMESTAMP(3) NULL, kind ENUM('a','b') NOT NULL DEFAULT 'b', amount DECIMAL(12,4) UNSIGNED);
CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, total DECIMAL(12,2), placed DATETIME, PRIMARY KEY (id, user_id), KEY (user_id));
CREATE TABLE settings (name VARCHAR(30) PRIMARY KEY, value VARCHAR(100));
INSERT INTO regions VALUES (1, 'North'), (2, 'south'), (3, 'East');
INSERT INTO users VALUES (1, 1, 'Ann', 'ann@x.org', '2024-01-01 10:00:00.125', 'a', 1.5), (2, 2, 'bob', 'bob@x.org', NULL, 'b', NULL), (3, 1, 'Cid', NULL, NULL, 'a', 0), (4, NULL, 'dora', 'dora@x.org', NULL, 'b', 2), (5, 3, 'Eve', 'eve@x.org', NULL, 'a', 9999.0001);
INSERT INTO orders VALUES (10, 1, 100.00, '2024-01-01 10:00:00'), (11, 1, 50.50, '2024-01-02 10:00:00'), (12, 2, 75.25, '2024-01-02 11:00:00'), (13, 3, NULL, NULL), (14, 5, 20.00, '2024-02-01 00:00:00');
INSERT INTO settings VALUES ('currency', 'EUR'), ('tax', '0.2');

-- Plain columns and expressions of all types.
-- Values come as they are, so that none is cut off with a note.
-- ignore info warnings
CREATE TABLE {t} SELECT id, id % 3 AS grp, DATE('{day}') AS day, CAST(name AS CHAR(20)) AS code, region_id, name, email, born, kind, amount, amount * 1.25 AS more, id / 3 AS part, CONCAT(name, '-', email) AS joined, NULL AS nothing, 1.5e0 AS real_, x'41' AS bytes, CAST('12:00:01.5' AS TIME(2)) AS t FROM users;
-- text
SELECT * FROM {t} ORDER BY id;
-- ignore types
SELECT column_name, column_type, is_nullable, column_default, character_set_name, collation_name, column_key, extra, CONCAT(column_comment, '') AS comment FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{t}' ORDER BY ordinal_position;
-- error 1050
CREATE TABLE {t} SELECT id, id % 3 AS grp, DATE('{day}') AS day, 'c' AS code FROM users;
-- ignore info
CREATE TABLE IF NOT EXISTS {t} SELECT id, id % 3 AS grp, DATE('{day}') AS day, 'c' AS code FROM users;
SHOW WARNINGS;
SELECT COUNT(*) FROM {t};
DROP TABLE {t};

-- Definitions beside the SELECT: a key, a column of its own, options, another type of a selected one.
-- ignore info
CREATE TABLE {t} (note VARCHAR(10) DEFAULT 'none', grp SMALLINT NOT NULL, code VARCHAR(20) COLLATE {ai_ci} NOT NULL, PRIMARY KEY (id, grp, day, code), KEY by_total (total)) COMMENT = 'made' AS SELECT o.id, o.user_id AS grp, DATE('{day}') AS day, u.name AS code, o.total FROM orders o JOIN users u ON u.id = o.user_id WHERE o.total IS NOT NULL;
-- text
SELECT * FROM {t} ORDER BY id;
SELECT column_name, column_type, is_nullable, column_default, collation_name, column_key FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{t}' ORDER BY ordinal_position;
-- ignore types
SELECT CONCAT(table_comment, '') AS comment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{t}';
DROP TABLE {t};

-- Aggregates, unions, CTEs, joins with tables of other kinds, ORDER BY with LIMIT.
-- ignore info
CREATE TABLE {t} AS SELECT u.id, COUNT(*) AS grp, DATE('{day}') AS day, MAX(r.name) AS code, SUM(o.total) AS total, AVG(o.total) AS mean, GROUP_CONCAT(o.id ORDER BY o.id) AS list FROM users u JOIN orders o ON o.user_id = u.id JOIN regions r ON r.id = u.region_id GROUP BY u.id;
-- text
SELECT * FROM {t} ORDER BY id;
SELECT column_name, column_type, is_nullable FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{t}' ORDER BY ordinal_position;
DROP TABLE {t};
-- ignore info
CREATE TABLE {t} (WITH c AS (SELECT id, name FROM users WHERE id < 4) SELECT id, 1 AS grp, DATE('{day}') AS day, name AS code FROM c UNION ALL SELECT 20, 2, DATE('{day}'), name FROM settings UNION ALL SELECT id + 30, 3, DATE('{day}'), name FROM regions);
-- text
SELECT * FROM {t} ORDER BY id, code;
SELECT column_name, column_type, is_nullable FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{t}' ORDER BY ordinal_position;
DROP TABLE {t};
-- ignore info
CREATE TABLE {t} SELECT id, 1 AS grp, DATE('{day}') AS day, name AS code FROM users ORDER BY id DESC LIMIT 2;
-- text
SELECT * FROM {t} ORDER BY id;
DROP TABLE {t};
-- ignore info
CREATE TABLE {t} SELECT 1 AS id, 2 AS grp, DATE('{day}') AS day, 'x' AS code;
-- text
SELECT * FROM {t} ORDER BY id;
DROP TABLE {t};
-- ignore info
CREATE TABLE {t} SELECT id, 2 AS grp, DATE('{day}') AS day, name AS code FROM users WHERE id > 100;
-- text
SELECT * FROM {t} ORDER BY id;
DROP TABLE {t};

-- Rows that are equal in a key. MariaDB counts some of those that it leaves out.
-- ignore info warnings affected
CREATE TABLE {t} (PRIMARY KEY (id, grp, day, code)) IGNORE SELECT 1 AS id, 1 AS grp, DATE('{day}') AS day, 'one' AS code, o.id AS other FROM orders o ORDER BY o.id;
SELECT id, grp, code, COUNT(other) FROM {t} GROUP BY id, grp, code;
DROP TABLE {t};
-- ignore info warnings
CREATE TABLE {t} (PRIMARY KEY (id, grp, day, code)) REPLACE AS SELECT 1 AS id, 1 AS grp, DATE('{day}') AS day, 'one' AS code, o.id AS other FROM orders o ORDER BY o.id;
SELECT id, grp, code, COUNT(other) FROM {t} GROUP BY id, grp, code;
DROP TABLE {t};
-- A failure leaves no table.
-- ignore warnings
DROP TABLE IF EXISTS {t};
-- error 1062
CREATE TABLE {t} (PRIMARY KEY (id, grp, day, code)) SELECT 1 AS id, 1 AS grp, DATE('{day}') AS day, 'one' AS code FROM orders;
-- error 1146
SELECT * FROM {t};
-- error 1054
CREATE TABLE {t} SELECT id, nothing FROM users;
-- error 1060
CREATE TABLE {t} SELECT id, id FROM users;
-- error 1146
SELECT * FROM {t};
