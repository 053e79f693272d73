-- Rows that move, with columns and keys of all kinds.
DROP TABLE IF EXISTS items;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS users;
DROP TABLE IF EXISTS regions;
DROP TABLE IF EXISTS settings;
CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(30));
CREATE TABLE settings (name VARCHAR(30) PRIMARY KEY, value VARCHAR(100));
INSERT INTO regions VALUES (1, 'North'), (2, 'South'), (3, 'East');
INSERT INTO settings VALUES ('shift', '40');
-- The key is all of the primary key.
CREATE TABLE users (id BIGINT PRIMARY KEY, region_id INT DEFAULT 2, name VARCHAR(50) NOT NULL DEFAULT 'none', twice BIGINT GENERATED ALWAYS AS (id * 2) STORED, lower_name VARCHAR(50) GENERATED ALWAYS AS (LOWER(name)) VIRTUAL, hidden INT INVISIBLE DEFAULT 7, place GEOMETRY, flags BIT(12), raw_bytes BINARY(3), updated DATETIME NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP, CHECK (region_id < 100), KEY (twice));
INSERT INTO users (id, region_id, name, hidden, place, flags, raw_bytes) VALUES (1, 1, 'Ann', 11, ST_GeomFromText('POINT(1 2)'), b'101', 'a'), (2, 2, 'Bob', 12, ST_GeomFromText('LINESTRING(0 0, 1.5 1.25)'), b'111111111111', x'00FF00'), (3, 1, 'Cid', 13, NULL, NULL, NULL), (4, NULL, 'Dora', NULL, NULL, b'0', ''), (5, 3, 'Eve', 15, NULL, NULL, NULL), (6, 3, 'Fay', 16, NULL, NULL, NULL);
UPDATE users SET id = id + 100 WHERE region_id = 1;
UPDATE users SET id = 50 WHERE id = 2;
SELECT id, region_id, name, twice, lower_name, hidden, ST_AsText(place), flags + 0, HEX(raw_bytes), updated > '2020-01-01' FROM users ORDER BY id;
UPDATE users SET id = id + 1 ORDER BY id DESC;
-- The next row is in the way.
-- error 1062
UPDATE users SET id = 6 WHERE id = 5;
SELECT id, name FROM users ORDER BY id;
-- error 3819 4025
UPDATE users SET id = 200, region_id = 100 WHERE id = 6;
-- error 1048
UPDATE users SET id = 200, name = NULL WHERE id = 6;
-- Two rows that change places, and nothing is in the way in the end.
UPDATE users SET id = 300, region_id = DEFAULT, name = DEFAULT(name), hidden = hidden + 1 WHERE id = 6;
UPDATE users SET id = id + 1, region_id = id, name = CONCAT(name, id) WHERE id = 7;
UPDATE users SET region_id = id + 20, id = region_id + id WHERE id = 51;
UPDATE users SET updated = '2021-02-03', id = 400 WHERE id = 102;
SELECT id, region_id, name, twice, lower_name, hidden, ST_AsText(place), flags + 0, HEX(raw_bytes) FROM users ORDER BY id;
SELECT id, updated FROM users WHERE id = 400;
-- Values of other tables.
UPDATE users SET id = id + (SELECT value FROM settings WHERE name = 'shift') WHERE id < 300;
SELECT id, name FROM users ORDER BY id;
UPDATE users u JOIN regions r ON r.id = u.region_id SET u.id = u.id + r.id * 1000, u.name = r.name WHERE r.id IN (2, 3);
SELECT id, region_id, name, hidden FROM users ORDER BY id;
UPDATE users u LEFT JOIN regions r ON r.id = u.region_id SET u.id = IF(r.id IS NULL, u.id + 5000, u.id), u.name = COALESCE(r.name, 'nowhere');
SELECT id, region_id, name, hidden FROM users ORDER BY id;
SET @shift = 30000;
UPDATE users SET id = id + @shift WHERE region_id IS NULL;
SELECT id, region_id, name, hidden FROM users ORDER BY id;
-- refused
UPDATE users SET id = (@last := id + 1) WHERE region_id IS NULL AND id = 0;

-- The key is a part of the primary key, or of none.
CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT, user_id BIGINT, total DECIMAL(12,2), code VARCHAR(10), placed TIMESTAMP NULL, PRIMARY KEY (id), UNIQUE KEY code_of (user_id, code));
INSERT INTO orders (id, user_id, total, code, placed) VALUES (10, 1, 100.00, 'a', '2024-01-01 10:00:00'), (11, 1, 50.50, 'b', NULL), (12, 2, 75.25, 'a', '2024-03-31 01:30:00'), (13, 3, NULL, 'c', NULL), (14, 5, 20.00, 'd', NULL), (15, 5, 20.00, NULL, NULL);
UPDATE orders SET user_id = 3 WHERE user_id = 1;
SELECT * FROM orders ORDER BY id;
UPDATE orders SET user_id = 3 WHERE id = 13;
-- error 1062
UPDATE orders SET user_id = 5, code = 'd' WHERE id = 12;
-- error 1062
UPDATE orders SET user_id = 9, code = 'same' WHERE user_id = 3;
SELECT * FROM orders ORDER BY id;
UPDATE orders SET user_id = user_id + 1, total = total * 2 WHERE code = 'a' OR code IS NULL;
UPDATE orders SET user_id = 77, id = 20 WHERE id = 14;
UPDATE orders SET user_id = (SELECT COUNT(*) FROM regions), code = 'z' WHERE id = 20;
SELECT * FROM orders ORDER BY id;
BEGIN;
UPDATE orders SET user_id = user_id + 10;
UPDATE orders SET user_id = user_id + 10;
SELECT * FROM orders ORDER BY id;
ROLLBACK;
SELECT * FROM orders ORDER BY id;
SET autocommit = 0;
UPDATE orders SET user_id = 8 WHERE id = 10;
COMMIT;
SET autocommit = 1;
SELECT * FROM orders ORDER BY id;
UPDATE orders SET user_id = 8 WHERE id = 10;
UPDATE orders SET user_id = 9 WHERE id = 10 AND user_id = 8;
SELECT * FROM orders WHERE user_id = 9;
-- An UPDATE of IGNORE where rows stay, and where they may not.
UPDATE IGNORE orders SET user_id = 9, total = 1 WHERE user_id = 9;
-- refused
UPDATE IGNORE orders SET user_id = user_id + 1 WHERE user_id = 99;
SELECT * FROM orders ORDER BY id;
-- ON DUPLICATE KEY UPDATE of the key.
INSERT INTO orders (id, user_id, total, code) VALUES (30, 1, 1, 'k1'), (31, 2, 2, 'k2'), (32, 3, 3, 'k3');
INSERT INTO orders (id, user_id, total, code) VALUES (33, 1, 10, 'k1') ON DUPLICATE KEY UPDATE user_id = user_id + 1, total = total + 100;
SELECT * FROM orders WHERE id >= 30 ORDER BY id;
INSERT INTO orders (id, user_id, total, code) VALUES (34, 1, 10, 'k1') ON DUPLICATE KEY UPDATE user_id = user_id + 1;
-- ignore info warnings
INSERT INTO orders (id, user_id, total, code) VALUES (35, 1, 10.5, 'k1'), (36, 2, 20, 'k2'), (37, 9, 30, 'k9'), (38, 9, 40, 'k9') ON DUPLICATE KEY UPDATE user_id = user_id + 20, total = VALUES(total) + total;
SELECT * FROM orders WHERE id >= 30 ORDER BY id;
INSERT INTO orders (id, user_id, total, code) VALUES (39, 3, 0, 'k3') ON DUPLICATE KEY UPDATE user_id = user_id + 0, total = total;
-- error 1062
INSERT INTO orders (id, user_id, total, code) VALUES (40, 3, 0, 'k3') ON DUPLICATE KEY UPDATE user_id = 22, code = 'k2';
INSERT INTO orders (id, user_id, total, code) VALUES (41, 3, 0, 'k3') ON DUPLICATE KEY UPDATE user_id = 22, id = DEFAULT(id) + 200;
SELECT * FROM orders WHERE id >= 30 ORDER BY id;
BEGIN;
INSERT INTO orders (id, user_id, total, code) VALUES (42, 3, 0, 'k3') ON DUPLICATE KEY UPDATE user_id = 90, id = 43;
SELECT * FROM orders WHERE id >= 30 ORDER BY id;
ROLLBACK;
SELECT * FROM orders WHERE id >= 30 ORDER BY id;
-- refused
INSERT INTO orders (id, user_id, total, code) VALUES (44, 300, 0, 'k3') ON DUPLICATE KEY UPDATE user_id = (SELECT MAX(id) FROM regions);
-- Without a primary key rows cannot be found again.
CREATE TABLE items (order_id BIGINT NOT NULL, user_id BIGINT NOT NULL, product VARCHAR(40));
INSERT INTO items VALUES (10, 1, 'apple');
UPDATE items SET user_id = 1, product = 'pear' WHERE user_id = 1;
-- refused
UPDATE items SET user_id = 2 WHERE user_id = 7;
DROP TABLE items;
DROP TABLE orders;
-- Rows that others refer to stay where they are.
CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL, KEY (user_id), CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
INSERT INTO users (id, name) VALUES (70001, 'parent'), (70002, 'other');
INSERT INTO orders VALUES (1, 70001);
-- refused: refers to the table, and what refers to a row lies on its shard
-- error 1451
UPDATE users SET id = id + 100 WHERE id > 70000;
UPDATE users SET id = 70001, name = 'same' WHERE id = 70001;
SELECT id, name FROM users WHERE id > 70000 ORDER BY id;
SELECT * FROM orders;
DROP TABLE orders;
DROP TABLE users;
