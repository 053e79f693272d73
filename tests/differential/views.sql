-- Views over tables of every kind, and what reads them.
-- ignore warnings
DROP VIEW IF EXISTS v_users, v_named, v_spent, v_top, v_all, v_nested, v_apart, v_union, v_single, v_flag, v_cte, v_new;
-- ignore warnings
DROP TABLE IF EXISTS items, orders, regions, users, settings, t_single;
CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(30) COLLATE {ai_ci});
CREATE TABLE users (id BIGINT PRIMARY KEY, region_id INT, name VARCHAR(50) COLLATE {ai_ci} NOT NULL, email VARCHAR(80) COLLATE utf8mb4_bin);
CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, total DECIMAL(12,2), placed DATETIME, PRIMARY KEY (id, user_id), KEY (user_id));
CREATE TABLE settings (name VARCHAR(30) PRIMARY KEY, value VARCHAR(100));
CREATE TABLE t_single (id INT PRIMARY KEY, c VARCHAR(20));
INSERT INTO regions VALUES (1, 'North'), (2, 'south'), (3, 'East'), (4, 'west');
INSERT INTO users VALUES (1, 1, 'Ann', 'ann@x.org'), (2, 2, 'bob', 'bob@x.org'), (3, 1, 'Cid', NULL), (4, NULL, 'dora', 'dora@x.org'), (5, 3, 'Eve', 'eve@x.org'), (6, 9, 'Fay', 'fay@x.org');
INSERT INTO orders VALUES (10, 1, 100.00, '2024-01-01 10:00:00'), (11, 1, 50.50, '2024-01-02 10:00:00'), (12, 2, 75.25, '2024-01-02 11:00:00'), (13, 3, NULL, NULL), (14, 5, 20.00, '2024-02-01 00:00:00'), (15, 5, 20.00, '2024-02-02 00:00:00'), (16, 7, 1.00, '2024-03-01 00:00:00');
INSERT INTO settings VALUES ('currency', 'EUR'), ('tax', '0.2');
INSERT INTO t_single VALUES (1, 'a'), (2, 'b');

CREATE VIEW v_users AS SELECT id, name FROM users WHERE region_id IS NOT NULL;
CREATE ALGORITHM = MERGE DEFINER = CURRENT_USER SQL SECURITY INVOKER VIEW v_named (nr, called) AS SELECT id, UPPER(name) FROM users;
CREATE VIEW v_spent AS SELECT user_id, SUM(total) AS spent, COUNT(*) AS n FROM orders GROUP BY user_id;
CREATE VIEW v_top (total, who) AS SELECT MAX(o.total), u.name FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.name;
CREATE VIEW v_all AS SELECT * FROM users;
CREATE VIEW v_nested AS SELECT v.name, s.spent + 1 FROM v_users v JOIN v_spent AS s ON s.user_id = v.id;
CREATE VIEW v_apart AS SELECT u.id, u.name, s.value FROM users u JOIN settings s ON s.name = 'currency';
CREATE VIEW v_union AS SELECT id, name FROM users UNION ALL SELECT id, name FROM regions;
CREATE VIEW v_single AS SELECT * FROM t_single;
CREATE OR REPLACE VIEW v_flag AS SELECT NOT id = 1 AS other, 'it''s' AS 's', "x\n" t FROM users;
CREATE VIEW v_cte AS WITH w AS (SELECT user_id, total FROM orders) SELECT user_id, total FROM w WHERE total > 20;

-- One shard, many shards, and combined.
SELECT * FROM v_users WHERE id = 3;
SELECT * FROM v_users ORDER BY id;
SELECT v_users.name, shop.v_users.id FROM shop.v_users ORDER BY 2;
SELECT COUNT(*), MIN(name) FROM v_users;
SELECT * FROM v_named WHERE nr = 2;
SELECT called FROM v_named x WHERE x.nr > 2 ORDER BY called;
SELECT * FROM v_spent ORDER BY user_id;
SELECT AVG(spent), SUM(n) FROM v_spent;
SELECT * FROM v_spent WHERE user_id = 5;
SELECT who, total FROM v_top ORDER BY total DESC, who;
SELECT * FROM v_all ORDER BY id;
SELECT * FROM v_nested ORDER BY name;
SELECT * FROM v_apart ORDER BY id;
SELECT * FROM v_union ORDER BY id, name;
SELECT * FROM v_single ORDER BY id;
SELECT * FROM v_flag ORDER BY other, s;
SELECT * FROM v_cte ORDER BY total, user_id;
SELECT u.name, s.spent FROM users u JOIN v_spent s ON s.user_id = u.id WHERE u.id = 1;
SELECT u.name, s.spent FROM users u LEFT JOIN v_spent s ON s.user_id = u.id ORDER BY u.id;
SELECT a.name, b.name FROM v_users a JOIN v_users b ON a.id < b.id ORDER BY a.id, b.id;
SELECT r.name, v.name FROM regions r JOIN v_all v ON v.region_id = r.id ORDER BY v.id;
SELECT name FROM users WHERE id IN (SELECT user_id FROM v_spent WHERE n > 1) ORDER BY name;
SELECT name FROM users WHERE (SELECT MAX(spent) FROM v_spent) > 100 ORDER BY name;
SELECT user_id, spent FROM v_spent WHERE spent = (SELECT MAX(spent) FROM v_spent);
SELECT (SELECT COUNT(*) FROM v_users) AS n;
SELECT (SELECT COUNT(*) FROM v_users);
WITH x AS (SELECT * FROM v_users) SELECT name FROM x ORDER BY name;
WITH v_users AS (SELECT 1 AS one) SELECT * FROM v_users;
SELECT EXISTS (SELECT 1 FROM v_users WHERE id = 6);
SELECT DISTINCT region_id FROM v_all ORDER BY region_id;
SELECT id FROM v_users UNION SELECT user_id FROM v_spent ORDER BY id;
SELECT d.name FROM (SELECT name FROM v_users WHERE id < 4) d ORDER BY d.name;

-- Views do not grow with their tables.
ALTER TABLE users ADD COLUMN extra INT DEFAULT 7;
SELECT * FROM v_all ORDER BY id;
ALTER TABLE users DROP COLUMN extra;

-- What is shown.
-- ignore types
DESCRIBE v_spent;
-- ignore types
SHOW COLUMNS FROM v_apart LIKE 'n%';
-- ignore types
SHOW FULL COLUMNS FROM v_users FROM shop;
SHOW TABLES LIKE 'v\_%';
SHOW FULL TABLES WHERE Table_type = 'VIEW';
-- ignore types
SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME LIKE 'v\_%' ORDER BY 1;
-- ignore types
SELECT TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_TYPE, COLUMN_KEY, EXTRA FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('v_users', 'v_spent', 'v_all') ORDER BY 1, 3;
-- ignore types
SELECT TABLE_NAME, CHECK_OPTION, SECURITY_TYPE FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'shop' ORDER BY 1;

-- Changes.
-- error 1050
CREATE VIEW v_users AS SELECT id FROM users;
-- error 1050
CREATE VIEW orders AS SELECT id FROM users;
-- error 1050
CREATE TABLE v_users (id INT);
-- error 1347
CREATE OR REPLACE VIEW orders AS SELECT id FROM users;
-- error 1347
ALTER TABLE v_users ADD COLUMN c INT;
-- error 1146
TRUNCATE TABLE v_users;
-- error 1146
ALTER VIEW v_new AS SELECT id FROM users;
-- error 1146
CREATE VIEW v_new AS SELECT id FROM users JOIN no_such_table USING (id);
-- error 1054
CREATE VIEW v_new AS SELECT no_such_column FROM users;
-- error 1351
CREATE VIEW v_new AS SELECT @a FROM users;
-- error 1353
CREATE VIEW v_new (a, b) AS SELECT id FROM users;
-- error 1060
CREATE VIEW v_new AS SELECT id, id FROM users;
-- error 1060
CREATE VIEW v_new AS SELECT * FROM users u JOIN orders o ON o.user_id = u.id;
-- error 1146
SELECT * FROM v_new;
-- refused
INSERT INTO v_users VALUES (9, 'x');
-- refused
UPDATE v_users SET name = 'x' WHERE id = 1;
-- refused
DELETE FROM v_users WHERE id = 1;
CREATE OR REPLACE VIEW v_users AS SELECT id, email AS name FROM users;
SELECT * FROM v_users WHERE id = 1;
ALTER VIEW v_users AS SELECT id, name, region_id FROM users;
SELECT * FROM v_users WHERE id = 2;
ALTER VIEW v_single AS SELECT id FROM users;
SELECT * FROM v_single ORDER BY id;
SHOW FULL TABLES LIKE 'v\_single';

-- Modes of the session change nothing that a view means.
SET sql_mode = 'ANSI';
CREATE VIEW "v_new" AS SELECT "name" || '!' AS "loud" FROM "users";
SELECT * FROM "v_new" ORDER BY "loud";
SELECT * FROM v_flag ORDER BY other;
SET sql_mode = '';
SELECT * FROM v_new ORDER BY loud;

-- A table that is gone.
DROP TABLE orders;
-- error 1356
SELECT * FROM v_spent;
-- ignore warnings
DROP VIEW IF EXISTS v_new, v_none;
DROP VIEW v_users, v_named;
-- error 1146
SELECT * FROM v_users;
DROP VIEW v_single, v_spent, v_top, v_all, v_nested, v_apart, v_union, v_flag, v_cte;
-- error 1051 4092
DROP VIEW v_users;
SHOW TABLES LIKE 'v\_%';
