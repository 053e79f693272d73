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
