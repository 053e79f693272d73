-- Forms of INSERT without any value; the key is the generated id.
DROP TABLE IF EXISTS g_flake;
CREATE TABLE g_flake (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, n INT DEFAULT 7);
-- ignore id
INSERT INTO g_flake VALUES ();
-- ignore id
INSERT INTO g_flake () VALUES (), ();
SELECT n, id - LAST_INSERT_ID() FROM g_flake WHERE id >= LAST_INSERT_ID() ORDER BY id;
-- ignore id
INSERT INTO g_flake VALUES (NULL, 1), (0, 2), (DEFAULT, 3);
SELECT n, id - LAST_INSERT_ID() FROM g_flake WHERE id >= LAST_INSERT_ID() ORDER BY id;
DROP TABLE g_flake;

-- A table without a rule refuses to let shards count.
DROP TABLE IF EXISTS g_bare;
CREATE TABLE g_bare (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, grp INT);
INSERT INTO g_bare (id, grp) VALUES (1, 1), (2, 2);
-- refused
INSERT INTO g_bare (id, grp) VALUES (NULL, 3);
-- refused
INSERT INTO g_bare (grp) VALUES (4);
SELECT * FROM g_bare ORDER BY id;
DROP TABLE g_bare;

-- A small column: it runs out as a counter does.
DROP TABLE IF EXISTS g_count;
CREATE TABLE g_count (id TINYINT NOT NULL AUTO_INCREMENT PRIMARY KEY, grp INT);
INSERT INTO g_count (id, grp) VALUES (127, 1);
-- error 1467 167 1062
-- ignore error
INSERT INTO g_count (grp) VALUES (1);
SELECT * FROM g_count;
DROP TABLE g_count;
