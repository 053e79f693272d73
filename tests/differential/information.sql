-- What tools ask information_schema and SHOW for: logical tables, once each. MySQL gives columns of its
-- views other types and flags as it runs a query one way or another.
-- ignore warnings
DROP TABLE IF EXISTS items, orders, users, t_both, t_phys, t_hash, t_single;
CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT, email VARCHAR(100) COLLATE {ai_ci} NOT NULL DEFAULT 'none' COMMENT 'where to write', born DATE, PRIMARY KEY (id), UNIQUE KEY by_email (id, email)) COMMENT = 'people';
CREATE TABLE orders (id BIGINT UNSIGNED NOT NULL, user_id INT NOT NULL, total DECIMAL(10,2) NOT NULL DEFAULT 0, note TEXT, double_total DECIMAL(12,2) AS (total * 2) STORED, PRIMARY KEY (id, user_id), KEY by_user (user_id, total), CONSTRAINT positive CHECK (total >= 0));
CREATE TABLE t_both (id INT NOT NULL, grp SMALLINT NOT NULL, c ENUM('a','b') DEFAULT 'a', PRIMARY KEY (id, grp), KEY by_c (c), CHECK (id > 0));
CREATE TABLE t_phys (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE t_single (id INT PRIMARY KEY, parent INT, KEY (parent), CONSTRAINT own FOREIGN KEY (parent) REFERENCES t_single (id) ON DELETE CASCADE);
-- ignore id
INSERT INTO users (id, email) VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
INSERT INTO t_both (id, grp) VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6);

-- Tables.
SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 't_both';
SELECT table_schema, table_name, engine, table_collation, table_comment, create_options FROM information_schema.tables WHERE table_schema = 'shop' AND table_name IN ('users', 'orders', 't_both', 't_phys', 't_single') ORDER BY table_name;
-- ignore rows
-- ignore types prepare
SELECT * FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'users';
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'shop' AND table_name LIKE 't\_both%';
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema LIKE 'shop\__';
SELECT t.TABLE_NAME AS name FROM INFORMATION_SCHEMA.TABLES t WHERE t.TABLE_SCHEMA = SCHEMA() AND t.TABLE_NAME LIKE 'us%';
SELECT TABLES.TABLE_NAME FROM information_schema.TABLES WHERE information_schema.TABLES.TABLE_SCHEMA = 'shop' AND TABLES.TABLE_NAME = 'orders';
SELECT TABLE_ROWS >= 0, DATA_LENGTH > 0, TABLE_ROWS IS NULL FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 'users';
SELECT TABLE_NAME FROM information_schema.tables WHERE TABLE_SCHEMA = 'no such schema';
SELECT TABLE_NAME FROM information_schema.tables WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME IN ('TABLES', 'COLUMNS') ORDER BY 1;
-- error 1109
-- refused
SELECT * FROM information_schema.no_such_table;
-- error 1054
SELECT no_such_column FROM information_schema.tables;

-- Columns.
SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'users' ORDER BY ORDINAL_POSITION;
SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both') ORDER BY TABLE_NAME, ORDINAL_POSITION;
SELECT table_name, COUNT(*) AS n, GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = 'shop' AND table_name IN ('users', 't_both') GROUP BY table_name HAVING n > 1 ORDER BY 1;

-- Keys and constraints.
SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, INDEX_SCHEMA, INDEX_TYPE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both') ORDER BY 1, 2, 4;
-- ignore rows
-- ignore types prepare
SELECT * FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users';
SELECT * FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both', 't_single') ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION;
SELECT * FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both', 't_single') ORDER BY TABLE_NAME, CONSTRAINT_NAME;
-- ignore types prepare
SELECT * FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'shop' AND TABLE_NAME = 't_single';
SELECT * FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'shop' AND CONSTRAINT_NAME IN ('positive', 't_both_chk_1') ORDER BY CONSTRAINT_NAME;

-- Schemas, and what there is little of.
SELECT SCHEMA_NAME FROM information_schema.schemata WHERE SCHEMA_NAME = 'shop';
SELECT SCHEMA_NAME FROM information_schema.schemata WHERE SCHEMA_NAME IN ('shop', 'shop_0', 'information_schema') ORDER BY 1;
-- ignore types prepare
SELECT * FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'shop';
-- ignore types prepare
SELECT * FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop';
SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop';
-- ignore types prepare
SELECT * FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = 'shop';
SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop';
-- ignore types prepare
SELECT TABLE_NAME, PARTITION_NAME, PARTITION_METHOD FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 't_both';
SELECT COUNT(*) FROM information_schema.COLUMN_PRIVILEGES WHERE TABLE_SCHEMA = 'shop';
-- ignore warnings
SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1);
-- refused
SELECT COUNT(*) FROM information_schema.INNODB_TRX;

-- Joins, subqueries, sets.
SELECT c.TABLE_NAME, c.COLUMN_NAME, t.TABLE_COMMENT FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME) WHERE t.TABLE_SCHEMA = 'shop' AND t.TABLE_NAME IN ('users', 't_phys') ORDER BY 1, c.ORDINAL_POSITION;
-- ignore types prepare
SELECT t.TABLE_NAME, (SELECT COUNT(*) FROM information_schema.COLUMNS c WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME) AS n FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'shop' AND t.TABLE_NAME IN ('users', 'orders') ORDER BY 1;
SELECT a.TABLE_NAME FROM information_schema.TABLES a, information_schema.TABLES b WHERE a.TABLE_SCHEMA = 'shop' AND a.TABLE_NAME = 'users' AND b.TABLE_NAME = a.TABLE_NAME AND b.TABLE_SCHEMA = a.TABLE_SCHEMA;
WITH mine AS (SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop') SELECT * FROM mine WHERE TABLE_NAME LIKE 't\_both%';
-- ignore types prepare
SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users' UNION ALL SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 't_phys' ORDER BY 1;
SELECT EXISTS (SELECT * FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users') AS there;
SELECT s.id, (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users') FROM t_single s;

-- The schema as the current one.
-- text
USE information_schema;
-- text
SELECT TABLE_NAME FROM tables WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users';
-- text
SELECT c.COLUMN_NAME FROM COLUMNS c JOIN TABLES USING (TABLE_SCHEMA, TABLE_NAME) WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 't_phys' ORDER BY 1;
-- text
SELECT ENGINE FROM engines WHERE ENGINE = 'InnoDB';
-- text
USE shop;
