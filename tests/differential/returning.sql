-- tables: t_single t_other t_hash t_range t_list t_phys t_both
-- Writes that give rows, on one shard and on several. MySQL has none.
-- ignore warnings
DROP TABLE IF EXISTS {t};
CREATE TABLE {t} (id INT NOT NULL, grp INT NOT NULL, name VARCHAR(20) COLLATE {ai_ci}, amount DECIMAL(8,2) DEFAULT 1.5, PRIMARY KEY (id, grp));
-- only mariadb
INSERT INTO {t} (id, grp, name) VALUES (9, 0, 'i'), (1, 1, 'a'), (12, 2, 'l'), (3, 3, 'c'), (7, 2, 'g'), (2, 1, NULL) RETURNING id, grp, amount, CONCAT(name, '!') AS loud;
-- only mariadb
-- error 1062
INSERT INTO {t} (id, grp, name) VALUES (20, 0, 'x'), (21, 1, 'y'), (22, 2, 'z'), (1, 1, 'twice') RETURNING id;
SELECT COUNT(*) FROM {t};
-- only mariadb
-- unordered
INSERT IGNORE INTO {t} (id, grp, name) VALUES (1, 1, 'twice'), (4, 1, 'd'), (5, 0, 'e'), (6, 3, 'f') RETURNING id, name;
-- only mariadb
REPLACE INTO {t} (id, grp, name) VALUES (9, 0, 'new'), (5, 0, 'newer'), (8, 2, 'h') RETURNING *;
-- only mariadb
INSERT INTO {t} (id, grp, name) VALUES (9, 0, 'i'), (8, 2, 'x'), (11, 3, 'k') ON DUPLICATE KEY UPDATE name = CONCAT(name, '+') RETURNING id, name;
-- only mariadb
-- unordered
DELETE FROM {t} WHERE grp = 2 RETURNING id, name, amount * 2 AS twice;
-- only mariadb
-- unordered
DELETE FROM {t} WHERE id > 100 RETURNING id;
-- only mariadb
BEGIN;
-- only mariadb
-- unordered
DELETE FROM {t} WHERE id < 5 RETURNING *;
-- only mariadb
-- error 1054
DELETE FROM {t} RETURNING nothing;
-- only mariadb
INSERT INTO {t} (id, grp) VALUES (30, 0), (31, 1) RETURNING id;
-- only mariadb
SELECT id FROM {t} ORDER BY id;
-- only mariadb
ROLLBACK;
SELECT id, grp, name, amount FROM {t} ORDER BY id;
-- refused if t_hash t_range t_list t_both t_phys
-- only mariadb
DELETE FROM {t} ORDER BY id RETURNING id;
DROP TABLE {t};
