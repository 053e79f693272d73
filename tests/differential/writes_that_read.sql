-- tables: t_single t_other t_broadcast t_hash t_modulo t_ring t_range t_list t_time t_phys t_both t_text
-- Writes that read what lies elsewhere, into each kind of table.
-- include table
DROP TABLE IF EXISTS items;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS regions;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS settings;
CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(30) COLLATE {ai_ci});
CREATE TABLE users (id BIGINT PRIMARY KEY, region_id INT, name VARCHAR(50) COLLATE {ai_ci} NOT NULL, email VARCHAR(80) COLLATE utf8mb4_bin);
CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, total DECIMAL(12,2), placed DATETIME, PRIMARY KEY (id, user_id), KEY (user_id));
CREATE TABLE items (order_id BIGINT NOT NULL, user_id BIGINT NOT NULL, line INT NOT NULL, product VARCHAR(40) COLLATE {ai_ci}, amount INT, price DECIMAL(10,2), PRIMARY KEY (order_id, line, user_id), KEY (user_id));
CREATE TABLE settings (name VARCHAR(30) PRIMARY KEY, value VARCHAR(100));
INSERT INTO regions VALUES (1, 'North'), (2, 'south'), (3, 'East'), (4, 'west');
INSERT INTO users VALUES (1, 1, 'Ann', 'ann@x.org'), (2, 2, 'bob', 'bob@x.org'), (3, 1, 'Cid', NULL), (4, NULL, 'dora', 'dora@x.org'), (5, 3, 'Eve', 'eve@x.org'), (6, 9, 'Fay', 'fay@x.org');
INSERT INTO orders VALUES (10, 1, 100.00, '2024-01-01 10:00:00'), (11, 1, 50.50, '2024-01-02 10:00:00'), (12, 2, 75.25, '2024-01-02 11:00:00'), (13, 3, NULL, NULL), (14, 5, 20.00, '2024-02-01 00:00:00'), (15, 5, 20.00, '2024-02-02 00:00:00'), (16, 7, 1.00, '2024-03-01 00:00:00');
INSERT INTO items VALUES (10, 1, 1, 'apple', 2, 25.00), (10, 1, 2, 'Pear', 1, 50.00), (11, 1, 1, 'apple', 1, 50.50), (12, 2, 1, 'fig', 3, 25.00), (12, 2, 2, 'pear', 1, 0.25), (14, 5, 1, 'Apple', 1, 20.00), (15, 5, 1, 'fig', 4, 5.00);
INSERT INTO settings VALUES ('currency', 'EUR'), ('tax', '0.2');

-- INSERT ... SELECT from the table itself, with values of all types.
INSERT INTO {t} SELECT id + 100, grp, day, code, c_tiny, c_tinyu, c_small, c_smallu, c_med, c_medu, c_int, c_intu, c_big, c_bigu, c_dec, c_money, c_float, c_double, c_bit, c_bool, c_date, c_time, c_dt, c_ts, c_year, c_char, c_ci, c_bin, c_latin, c_binary, c_varbinary, c_blob, c_text, c_enum, c_set, c_json FROM {t};
SELECT * FROM {t} WHERE id > 100 ORDER BY id;
INSERT INTO {t} (id, grp, day, code, c_int) SELECT id + 200, grp, day, code, c_int FROM {t} WHERE id = 4;
INSERT INTO {t} (id, grp, day, code, c_int) (SELECT id + 200, grp, day, code, c_int FROM {t} WHERE id IN (6, 7, 8));
INSERT INTO {t} (id, grp, day, code) SELECT id + 300, grp, day, code FROM {t} WHERE id = 9999;
-- error 1136
INSERT INTO {t} (id, grp, day, code) SELECT id + 300, grp, day FROM {t} WHERE id = 1;
-- error 1054
INSERT INTO {t} (id, grp, day, code) SELECT id + 300, grp, day, nothing FROM {t};
-- A failure leaves nothing.
-- error 1062
INSERT INTO {t} (id, grp, day, code) SELECT IF(id < 20, id + 300, 20), grp, day, code FROM {t} WHERE id BETWEEN 2 AND 20;
SELECT COUNT(*) FROM {t} WHERE id > 300;
INSERT IGNORE INTO {t} (id, grp, day, code) SELECT IF(id < 20, id + 300, 20), grp, day, code FROM {t} WHERE id BETWEEN 15 AND 20;
SELECT id, grp, code, c_int FROM {t} WHERE id > 200 ORDER BY id;

-- From tables of other groups, joins, aggregates and unions.
INSERT INTO {t} (id, grp, day, code, c_money) SELECT o.id + 400, o.user_id % 5, '{day}', u.name, o.total FROM orders o JOIN users u ON u.id = o.user_id;
INSERT INTO {t} (id, grp, day, code, c_money, c_ci) SELECT u.id + 500, 1, '{day}', u.name, (SELECT SUM(o.total) FROM orders o), r.name FROM users u LEFT JOIN regions r ON r.id = u.region_id;
INSERT INTO {t} (id, grp, day, code, c_int) SELECT region_id + 600, 2, '{day}', 'group', COUNT(*) FROM users WHERE region_id IS NOT NULL GROUP BY region_id;
INSERT INTO {t} (id, grp, day, code) SELECT 701, 3, '{day}', name FROM settings WHERE name = 'tax' UNION ALL SELECT 702, 3, '{day}', name FROM regions WHERE id = 1;
INSERT INTO {t} (id, grp, day, code) SELECT id + 800, 3, '{day}', name FROM users ORDER BY id DESC LIMIT 2;
INSERT INTO {t} (id, grp, day, code) SELECT 900, 3, '{day}', 'no table';
INSERT INTO {t} (id, grp, day, code) WITH c AS (SELECT id FROM users WHERE id < 3) SELECT id + 900, 4, '{day}', 'with' FROM c;
SELECT id, grp, code, c_int, c_money, c_ci FROM {t} WHERE id > 400 ORDER BY id;

-- REPLACE and ON DUPLICATE KEY UPDATE.
REPLACE INTO {t} (id, grp, day, code, c_int) SELECT id, grp, day, code, 5 FROM {t} WHERE id > 800;
-- MySQL warns of VALUES() in some forms of INSERT.
-- ignore info warnings
INSERT INTO {t} (id, grp, day, code, c_int) SELECT * FROM (SELECT id, grp, day, code, 7 AS seven FROM {t} WHERE id > 700) d ON DUPLICATE KEY UPDATE c_int = VALUES(c_int) + c_int;
INSERT INTO {t} (id, grp, day, code, c_int) SELECT * FROM (SELECT id, grp, day, code, 7 AS seven FROM {t} WHERE id > 700 ORDER BY id LIMIT 1) d ON DUPLICATE KEY UPDATE c_int = 8, c_ci = 'dup';
SELECT id, grp, code, c_int, c_ci FROM {t} WHERE id > 700 ORDER BY id;

-- Subqueries in VALUES.
INSERT INTO {t} (id, grp, day, code, c_int) VALUES (950, 1, '{day}', 'values', (SELECT COUNT(*) FROM orders));
INSERT INTO {t} (id, grp, day, code, c_money) VALUES (951, 1, '{day}', (SELECT name FROM users WHERE id = 1), (SELECT MAX(total) FROM orders)), (952, 2, '{day}', 'two', NULL);
SELECT id, grp, code, c_int, c_money FROM {t} WHERE id >= 950 ORDER BY id;
DELETE FROM {t} WHERE id >= 950;

-- The other way round.
INSERT INTO settings SELECT CONCAT('s', id), c_int FROM {t} WHERE id > 800;
INSERT INTO regions (id, name) SELECT id, code FROM {t} WHERE id > 800;
INSERT INTO users (id, region_id, name) SELECT id, grp, code FROM {t} WHERE id > 800;
SELECT * FROM settings ORDER BY name;
SELECT * FROM regions ORDER BY id;
SELECT * FROM users ORDER BY id;

-- Inside a transaction, which sees its own rows.
BEGIN;
INSERT INTO {t} (id, grp, day, code) VALUES (1000, 0, '{day}', 'mine'), (1001, 1, '{day}', 'mine');
INSERT INTO {t} (id, grp, day, code) SELECT id + 10, grp, day, code FROM {t} WHERE id >= 1000;
-- error 1062
INSERT INTO {t} (id, grp, day, code) SELECT IF(id = 1000, 1020, 1011), 1, day, code FROM {t} WHERE id IN (1000, 1011);
SELECT id FROM {t} WHERE id >= 1000 ORDER BY id;
ROLLBACK;
SELECT id FROM {t} WHERE id >= 1000 ORDER BY id;

-- UPDATE and DELETE with ORDER BY and LIMIT, over all rows.
UPDATE {t} SET c_int = 1 ORDER BY id LIMIT 5;
UPDATE {t} SET c_int = c_int + 1, c_big = c_int WHERE grp IN (0, 1, 2) ORDER BY id DESC LIMIT 7;
UPDATE {t} SET c_small = 3 ORDER BY c_dt, id LIMIT 6;
UPDATE {t} x SET x.c_med = 9 WHERE x.code LIKE '%e%' ORDER BY x.code DESC, x.id LIMIT 3;
-- ignore info
UPDATE {t} SET c_int = 1 ORDER BY id LIMIT 0;
UPDATE {t} SET c_ci = 'none' WHERE id = 99999 ORDER BY id LIMIT 5;
UPDATE {t} SET c_tiny = 4 ORDER BY id;
SELECT id, c_tiny, c_small, c_med, c_int, c_big, c_ci FROM {t} ORDER BY id;
DELETE FROM {t} WHERE id > 100 ORDER BY id LIMIT 3;
DELETE FROM {t} WHERE id > 100 ORDER BY id DESC LIMIT 4;
DELETE FROM {t} WHERE id > 900 LIMIT 100;
SELECT id FROM {t} ORDER BY id;

-- With subqueries and joins of tables that lie elsewhere.
UPDATE {t} SET c_int = (SELECT COUNT(*) FROM orders) WHERE id < 4;
UPDATE {t} SET c_money = c_money + (SELECT SUM(total) FROM orders), c_ci = CONCAT('u', c_int) WHERE id BETWEEN 4 AND 8;
UPDATE {t} SET c_int = 77 WHERE id IN (SELECT user_id FROM orders WHERE total > 20);
UPDATE {t} SET c_int = 78 WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = {t}.id) AND id < 12;
UPDATE {t} SET c_ci = (SELECT name FROM users u WHERE u.id = {t}.id) WHERE id < 8;
-- error 1242
UPDATE {t} SET c_ci = (SELECT name FROM users) WHERE id < 8;
UPDATE {t} a JOIN users u ON u.id = a.id SET a.c_ci = u.name, a.c_bin = CONCAT(u.email, a.code), a.c_big = a.c_int + u.region_id;
UPDATE {t} a, orders o SET a.c_money = o.total, a.c_dt = o.placed WHERE o.user_id = a.id AND o.id IN (10, 12, 14);
UPDATE {t} a LEFT JOIN users u ON u.id = a.id SET a.c_latin = IFNULL(u.name, 'nobody') WHERE a.id < 12;
UPDATE {t} a JOIN (SELECT user_id, SUM(total) AS spent FROM orders GROUP BY user_id) s ON s.user_id = a.id SET a.c_double = s.spent;
UPDATE {t} a JOIN settings s ON s.name = 'tax' SET a.c_varbinary = s.value WHERE a.id < 3;
UPDATE {t} a JOIN regions r ON r.id = a.id SET a.c_text = r.name;
UPDATE users u JOIN {t} a ON a.id = u.id SET u.region_id = a.grp + 10;
UPDATE settings SET value = (SELECT MAX(c_int) FROM {t}) WHERE name = 'tax';
UPDATE regions SET name = (SELECT code FROM {t} WHERE id = 7) WHERE id = 2;
SELECT id, c_int, c_big, c_money, c_double, c_ci, c_bin, c_latin, c_varbinary, c_text, c_dt FROM {t} ORDER BY id;
SELECT * FROM users ORDER BY id;
SELECT * FROM settings ORDER BY name;
SELECT * FROM regions ORDER BY id;

-- Several tables are written at once.
UPDATE {t} a JOIN users u ON u.id = a.id SET a.c_int = 1000 + u.id, u.name = CONCAT('n', a.id), u.region_id = 3;
UPDATE users u JOIN orders o ON o.user_id = u.id SET u.name = 'buyer', o.total = 1 WHERE u.id > 1;
SELECT id, c_int FROM {t} WHERE id < 10 ORDER BY id;
SELECT * FROM users ORDER BY id;
SELECT * FROM orders ORDER BY id;
DELETE a FROM {t} a JOIN users u ON u.id = a.id WHERE u.id IN (2, 3);
DELETE FROM {t} WHERE id IN (SELECT user_id FROM orders WHERE id = 14);
DELETE FROM {t} WHERE id > (SELECT MAX(id) FROM users WHERE id < 10) + 10 AND id < 20;
DELETE a, u FROM {t} a LEFT JOIN users u ON u.id = a.id AND u.id < 5 WHERE a.id IN (1, 4, 7);
DELETE FROM a USING {t} a JOIN settings s ON s.name = 'tax' WHERE a.id = 8;
DELETE u, o FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = 5;
DELETE FROM users WHERE id NOT IN (SELECT user_id FROM orders);
DELETE FROM regions WHERE id IN (SELECT id FROM {t});
SELECT id FROM {t} ORDER BY id;
SELECT * FROM users ORDER BY id;
SELECT * FROM orders ORDER BY id;
SELECT * FROM regions ORDER BY id;

-- A failure undoes the statement, not the transaction.
BEGIN;
UPDATE {t} SET c_int = 5 ORDER BY id LIMIT 3;
-- error 1062
INSERT INTO {t} (id, grp, day, code) SELECT IF(id = 6, 5000, id), grp, day, code FROM {t};
DELETE FROM {t} ORDER BY id DESC LIMIT 1;
SELECT id, c_int FROM {t} ORDER BY id;
COMMIT;
SELECT id, c_int FROM {t} ORDER BY id;

-- The written table in a subquery.
-- only mysql
-- error 1093
DELETE FROM {t} WHERE id = (SELECT MAX(id) FROM {t});
-- only mysql
-- error 1093
UPDATE {t} SET c_int = 1 WHERE id IN (SELECT id FROM {t} WHERE grp = 1);
-- only mariadb
DELETE FROM {t} WHERE id = (SELECT MAX(id) FROM {t});
-- only mariadb
UPDATE {t} SET c_int = 1 WHERE id IN (SELECT id FROM {t} WHERE grp = 1);
DELETE FROM {t} WHERE id IN (SELECT id FROM (SELECT id FROM {t} ORDER BY id DESC LIMIT 2) x);
UPDATE {t} a JOIN (SELECT MIN(id) AS low FROM {t}) m SET a.c_int = a.id - m.low;
-- error 1054
UPDATE {t} SET nothing = (SELECT COUNT(*) FROM orders) ORDER BY id LIMIT 1;
-- error 1054
DELETE FROM {t} WHERE nothing = 1 ORDER BY id LIMIT 1;
SELECT id, c_int FROM {t} ORDER BY id;
