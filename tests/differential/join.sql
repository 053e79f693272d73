-- Joins of sharded tables with their children, with broadcast and with single tables.
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

SELECT * FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = 1 ORDER BY o.id;
SELECT u.name, o.total FROM users u, orders o WHERE o.user_id = u.id AND u.id = 5 ORDER BY o.id;
SELECT u.name, o.id FROM users u JOIN orders o ON o.user_id = u.id ORDER BY o.id;
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON o.user_id = u.id ORDER BY u.id, o.id;
SELECT u.name, o.id FROM orders o RIGHT JOIN users u ON o.user_id = u.id ORDER BY u.id, o.id;
SELECT u.name, o.id FROM orders o LEFT JOIN users u ON o.user_id = u.id ORDER BY o.id;
SELECT o.id, i.line, i.product FROM orders o JOIN items i ON i.order_id = o.id AND i.user_id = o.user_id ORDER BY o.id, i.line;
-- refused
SELECT o.id, i.line, i.product FROM orders o JOIN items i ON i.order_id = o.id ORDER BY o.id, i.line;
SELECT o.id, i.line FROM orders o JOIN items i USING (user_id) ORDER BY o.id, i.order_id, i.line;
SELECT o.id, COUNT(i.line) FROM orders o LEFT JOIN items i ON i.order_id = o.id AND i.user_id = o.user_id GROUP BY o.id ORDER BY o.id;
SELECT o.user_id, SUM(i.amount * i.price) AS spent FROM orders o JOIN items i ON i.order_id = o.id AND i.user_id = o.user_id GROUP BY o.user_id ORDER BY spent DESC, o.user_id;
SELECT u.name, o.id, i.product FROM users u JOIN orders o ON o.user_id = u.id JOIN items i ON i.user_id = o.user_id AND i.order_id = o.id ORDER BY o.id, i.line;
SELECT u.name, r.name FROM users u JOIN regions r ON r.id = u.region_id ORDER BY u.id;
SELECT u.name, r.name AS region FROM users u LEFT JOIN regions r ON r.id = u.region_id ORDER BY u.id;
-- refused
SELECT r.name, u.name FROM regions r LEFT JOIN users u ON u.region_id = r.id ORDER BY r.id, u.id;
-- refused
SELECT r.name, COUNT(u.id) AS n FROM regions r LEFT JOIN users u ON u.region_id = r.id GROUP BY r.id, r.name ORDER BY n DESC, r.id;
SELECT r.name, COUNT(*) FROM users u JOIN regions r ON r.id = u.region_id GROUP BY r.name ORDER BY r.name;
SELECT r.name, SUM(o.total) FROM regions r JOIN users u ON u.region_id = r.id JOIN orders o ON o.user_id = u.id GROUP BY r.name ORDER BY r.name;
SELECT u.name, r.name FROM users u CROSS JOIN regions r WHERE u.id = 2 ORDER BY r.id;
-- refused
SELECT u.name, s.value FROM users u JOIN settings s ON s.name = 'currency' ORDER BY u.id;
-- refused
SELECT u.name, (SELECT value FROM settings WHERE name = 'tax') AS tax FROM users u ORDER BY u.id;
SELECT * FROM regions ORDER BY name;
SELECT COUNT(*) FROM regions;
SELECT SUM(id) FROM regions WHERE id > 1;
-- refused
SELECT a.id, b.id FROM users a JOIN users b ON a.region_id = b.region_id AND a.id < b.id ORDER BY a.id, b.id;
SELECT name FROM users WHERE id IN (SELECT user_id FROM orders WHERE total > 50) ORDER BY id;
SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id) ORDER BY id;
SELECT name FROM users u WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id) ORDER BY id;
-- refused
SELECT name FROM users WHERE id NOT IN (SELECT user_id FROM orders) ORDER BY id;
SELECT name FROM users WHERE region_id IN (SELECT id FROM regions WHERE name LIKE 'n%') ORDER BY id;
SELECT u.name, (SELECT SUM(total) FROM orders o WHERE o.user_id = u.id) AS spent FROM users u ORDER BY u.id;
SELECT u.name, t.n FROM users u JOIN (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id) t ON t.user_id = u.id ORDER BY u.id;
-- refused
SELECT SUM(amount) AS n FROM items GROUP BY product HAVING n > 1 ORDER BY n DESC;
SELECT MIN(product), SUM(amount) FROM items WHERE product IN ('fig', 'nut') GROUP BY product;
-- refused
SELECT name FROM users UNION SELECT name FROM regions ORDER BY name;
-- refused
SELECT id, 'user' AS kind FROM users UNION ALL SELECT id, 'region' FROM regions ORDER BY id, kind;
WITH big AS (SELECT * FROM orders WHERE total > 30) SELECT u.name, big.total FROM users u JOIN big ON big.user_id = u.id ORDER BY big.id;
-- refused
WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT n.x, u.name FROM n LEFT JOIN users u ON u.id = n.x ORDER BY n.x;
SELECT user_id, total, SUM(total) OVER (PARTITION BY user_id ORDER BY id) AS running FROM orders ORDER BY id;
SELECT DISTINCT u.region_id FROM users u JOIN orders o ON o.user_id = u.id ORDER BY u.region_id;
SELECT u.name FROM users u NATURAL JOIN regions r;
SELECT u.id FROM users u STRAIGHT_JOIN orders o ON o.user_id = u.id WHERE u.id = 1;

UPDATE orders SET total = total + 1 WHERE user_id = 1;
UPDATE items SET price = price * 2 WHERE user_id = 1 AND order_id = 10;
UPDATE users u JOIN orders o ON o.user_id = u.id SET u.email = 'has orders' WHERE u.id = 1;
UPDATE regions SET name = 'NORTH' WHERE id = 1;
INSERT INTO regions VALUES (5, 'center');
DELETE FROM regions WHERE id = 4;
REPLACE INTO regions VALUES (5, 'Center');
DELETE i FROM items i JOIN orders o ON o.id = i.order_id AND o.user_id = i.user_id WHERE o.user_id = 5;
DELETE FROM orders WHERE user_id = 5;
SELECT * FROM regions ORDER BY id;
SELECT * FROM users ORDER BY id;
SELECT * FROM orders ORDER BY id;
SELECT * FROM items ORDER BY order_id, line;
-- refused
INSERT INTO settings SELECT name, email FROM users WHERE id = 2;
SELECT * FROM settings ORDER BY name;
-- error 1054
SELECT u.nothing FROM users u JOIN orders o ON o.user_id = u.id;
-- error 1052
SELECT id FROM users u JOIN orders o ON o.user_id = u.id;
-- error 1054
SELECT x.id FROM users u;
-- error 1146
SELECT * FROM users JOIN no_such_table;
DROP TABLE items, orders;
DROP TABLE users;
DROP TABLE regions;
DROP TABLE settings;
