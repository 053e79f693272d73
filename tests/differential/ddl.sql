-- tables: t_single t_broadcast t_hash t_ring t_list t_time t_phys t_both t_text
-- Definitions of tables and what they leave behind.
DROP TABLE IF EXISTS {t};
CREATE TABLE {t} (id INT NOT NULL, grp SMALLINT NOT NULL, day DATE NOT NULL, code VARCHAR(20) COLLATE {ai_ci} NOT NULL, PRIMARY KEY (id, grp, day, code));
-- error 1050
CREATE TABLE {t} (id INT NOT NULL, grp SMALLINT NOT NULL, day DATE NOT NULL, code VARCHAR(20) NOT NULL, PRIMARY KEY (id, grp, day, code));
CREATE TABLE IF NOT EXISTS {t} (id INT NOT NULL, grp SMALLINT NOT NULL, day DATE NOT NULL, code VARCHAR(20) NOT NULL, PRIMARY KEY (id, grp, day, code));
INSERT INTO {t} VALUES (1, 0, '{day}', 'a'), (2, 1, '{day}', 'b'), (3, 2, '{day-1}', 'c'), (4, 3, '{day+1}', 'd');
ALTER TABLE {t} ADD COLUMN note VARCHAR(10) DEFAULT 'n' AFTER grp;
SELECT * FROM {t} ORDER BY id;
SELECT * FROM {t} WHERE id = 3;
ALTER TABLE {t} ADD INDEX by_note (note), ADD COLUMN extra INT;
CREATE INDEX by_extra ON {t} (extra);
SHOW CREATE TABLE {t};
SHOW COLUMNS FROM {t};
ALTER TABLE {t} MODIFY note VARCHAR(20) NOT NULL DEFAULT 'm';
ALTER TABLE {t} CHANGE extra more BIGINT;
INSERT INTO {t} (id, grp, day, code) VALUES (5, 4, '{day}', 'e');
SELECT * FROM {t} ORDER BY id DESC;
DROP INDEX by_extra ON {t};
ALTER TABLE {t} DROP COLUMN more, DROP INDEX by_note;
DESCRIBE {t};
-- error 1060
ALTER TABLE {t} ADD COLUMN note INT;
-- error 1091
ALTER TABLE {t} DROP COLUMN nothing;
-- error 1072
CREATE INDEX i ON {t} (nothing);
-- error 1064
ALTER TABLE {t} ADD COLUMN;
-- refused
ANALYZE TABLE {t};
TRUNCATE {t};
SELECT COUNT(*) FROM {t};
INSERT INTO {t} (id, grp, day, code) VALUES (6, 1, '{day}', 'f');
BEGIN;
INSERT INTO {t} (id, grp, day, code) VALUES (7, 2, '{day}', 'g');
-- A definition commits.
ALTER TABLE {t} COMMENT 'changed';
ROLLBACK;
SELECT id FROM {t} ORDER BY id;
DROP TABLE {t};
-- error 1051
DROP TABLE {t};
DROP TABLE IF EXISTS {t};
SHOW WARNINGS;
-- error 1146
SELECT * FROM {t};
