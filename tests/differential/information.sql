-- What tools ask information_schema and SHOW for: logical tables, once each.
-- Types and flags of columns of MySQL's views vary with how it runs a query.
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
-- ignore types
SELECT table_schema, table_name, engine, table_collation, table_comment, create_options FROM information_schema.tables WHERE table_schema = 'shop' AND table_name IN ('users', 'orders', 't_both', 't_phys', 't_single') ORDER BY table_name;
-- ignore rows
-- ignore types
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
-- ignore types
SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'users' ORDER BY ORDINAL_POSITION;
-- ignore types
SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both') ORDER BY TABLE_NAME, ORDINAL_POSITION;
SELECT table_name, COUNT(*) AS n, GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = 'shop' AND table_name IN ('users', 't_both') GROUP BY table_name HAVING n > 1 ORDER BY 1;

-- Keys and constraints.
-- ignore types
SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, INDEX_SCHEMA, INDEX_TYPE FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both') ORDER BY 1, 2, 4;
-- ignore rows
-- ignore types
SELECT * FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'users';
-- ignore types
SELECT * FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both', 't_single') ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION;
SELECT * FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME IN ('users', 'orders', 't_both', 't_single') ORDER BY TABLE_NAME, CONSTRAINT_NAME;
-- ignore types
SELECT * FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'shop' AND TABLE_NAME = 't_single';
SELECT * FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = 'shop' AND CONSTRAINT_NAME IN ('positive', 't_both_chk_1') ORDER BY CONSTRAINT_NAME;

-- Schemas, and what there is little of.
SELECT SCHEMA_NAME FROM information_schema.schemata WHERE SCHEMA_NAME = 'shop';
SELECT SCHEMA_NAME FROM information_schema.schemata WHERE SCHEMA_NAME IN ('shop', 'shop_0', 'information_schema') ORDER BY 1;
-- ignore types
SELECT * FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'shop';
-- ignore types
SELECT * FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop';
SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop';
-- ignore types
SELECT * FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = 'shop';
SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop';
-- ignore types
SELECT TABLE_NAME, PARTITION_NAME, PARTITION_METHOD FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 't_both';
SELECT COUNT(*) FROM information_schema.COLUMN_PRIVILEGES WHERE TABLE_SCHEMA = 'shop';
-- ignore warnings
SELECT COUNT(*) > 0 FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), '@', 1);
-- refused
SELECT COUNT(*) FROM information_schema.INNODB_TRX;

-- Joins, subqueries, sets.
-- ignore types
SELECT c.TABLE_NAME, c.COLUMN_NAME, t.TABLE_COMMENT FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME) WHERE t.TABLE_SCHEMA = 'shop' AND t.TABLE_NAME IN ('users', 't_phys') ORDER BY 1, c.ORDINAL_POSITION;
-- ignore types
SELECT t.TABLE_NAME, (SELECT COUNT(*) FROM information_schema.COLUMNS c WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME) AS n FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'shop' AND t.TABLE_NAME IN ('users', 'orders') ORDER BY 1;
SELECT a.TABLE_NAME FROM information_schema.TABLES a, information_schema.TABLES b WHERE a.TABLE_SCHEMA = 'shop' AND a.TABLE_NAME = 'users' AND b.TABLE_NAME = a.TABLE_NAME AND b.TABLE_SCHEMA = a.TABLE_SCHEMA;
WITH mine AS (SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop') SELECT * FROM mine WHERE TABLE_NAME LIKE 't\_both%';
-- ignore types
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

-- SHOW of what a schema holds.
-- ignore rows
SHOW TABLE STATUS LIKE 't\_both';
-- ignore rows
SHOW TABLE STATUS FROM shop WHERE Name IN ('users', 'orders');
SHOW TABLE STATUS LIKE 'nothing like it';
SHOW TRIGGERS;
SHOW TRIGGERS FROM shop LIKE 'users';
SHOW EVENTS;
SHOW PROCEDURE STATUS WHERE Db = 'shop';
SHOW FUNCTION STATUS WHERE Db = DATABASE();
SHOW OPEN TABLES WHERE 1 = 0;
SHOW CREATE DATABASE shop;
SHOW CREATE SCHEMA IF NOT EXISTS `shop`;
SHOW FULL TABLES WHERE Tables_in_shop IN ('users', 't_both', 't_phys') AND Table_type <> 'VIEW';
SHOW FULL TABLES FROM `shop` LIKE 'users';
SHOW FULL COLUMNS FROM t_both WHERE Field = 'c';
SHOW FIELDS FROM `t_both`;
-- ignore types
-- ignore rows
SHOW KEYS FROM users WHERE Key_name = 'PRIMARY' AND Column_name = 'id';
-- ignore rows
SHOW INDEXES FROM t_both FROM shop;
SHOW TABLES FROM information_schema LIKE 'TABLES';
SHOW COLUMNS FROM information_schema.SCHEMATA;
DESCRIBE information_schema.SCHEMATA;
-- MySQL warns of what is out of date when it prepares, Margay when it runs.
-- ignore warnings
SHOW PROFILES;
-- shape
SHOW DATABASES WHERE `Database` IN ('shop', 'information_schema');
-- ignore rows names columns types
SHOW GRANTS;
-- ignore rows names columns types
SHOW GRANTS FOR CURRENT_USER();
-- error 1360
SHOW CREATE TRIGGER no_such_trigger;
-- error 1305
SHOW CREATE PROCEDURE no_such_procedure;
-- error 1305
SHOW CREATE FUNCTION shop.no_such_function;
-- error 1539
SHOW CREATE EVENT no_such_event;
-- error 1146
SHOW CREATE VIEW no_such_view;
-- error 1049
SHOW TABLE STATUS FROM no_such_schema;
-- refused
SHOW BINARY LOGS;

-- Drivers: tables, columns, keys as they ask for them.
-- ignore types
SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, CASE WHEN TABLE_TYPE='BASE TABLE' THEN CASE WHEN TABLE_SCHEMA = 'mysql' OR TABLE_SCHEMA = 'performance_schema' THEN 'SYSTEM TABLE' ELSE 'TABLE' END WHEN TABLE_TYPE='TEMPORARY' THEN 'LOCAL_TEMPORARY' ELSE TABLE_TYPE END AS TABLE_TYPE, TABLE_COMMENT AS REMARKS, NULL AS TYPE_CAT, NULL AS TYPE_SCHEM, NULL AS TYPE_NAME, NULL AS SELF_REFERENCING_COL_NAME, NULL AS REF_GENERATION FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME LIKE 'users' HAVING TABLE_TYPE IN ('TABLE','VIEW') ORDER BY TABLE_TYPE, TABLE_SCHEMA, TABLE_NAME;
-- ignore types
-- text
SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, COLUMN_NAME, UPPER(DATA_TYPE) AS TYPE_NAME, CASE WHEN LCASE(DATA_TYPE)='date' THEN 10 WHEN CHARACTER_MAXIMUM_LENGTH IS NULL THEN NUMERIC_PRECISION WHEN CHARACTER_MAXIMUM_LENGTH > 2147483647 THEN 2147483647 ELSE CHARACTER_MAXIMUM_LENGTH END AS COLUMN_SIZE, NUMERIC_SCALE AS DECIMAL_DIGITS, 10 AS NUM_PREC_RADIX, COLUMN_COMMENT AS REMARKS, COLUMN_DEFAULT AS COLUMN_DEF, ORDINAL_POSITION, IS_NULLABLE, IF(EXTRA LIKE '%auto_increment%','YES','NO') AS IS_AUTOINCREMENT, IF(EXTRA LIKE '%GENERATED%','YES','NO') AS IS_GENERATEDCOLUMN FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME LIKE 'orders' AND COLUMN_NAME LIKE '%' ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION;
-- ignore types
SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, COLUMN_NAME, SEQ_IN_INDEX AS KEY_SEQ, 'PRIMARY' AS PK_NAME FROM INFORMATION_SCHEMA.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders' AND INDEX_NAME='PRIMARY' ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX;
-- ignore types
SELECT DISTINCT A.REFERENCED_TABLE_SCHEMA AS PKTABLE_CAT, A.REFERENCED_TABLE_NAME AS PKTABLE_NAME, A.REFERENCED_COLUMN_NAME AS PKCOLUMN_NAME, A.TABLE_NAME AS FKTABLE_NAME, A.COLUMN_NAME AS FKCOLUMN_NAME, A.ORDINAL_POSITION AS KEY_SEQ, R.UPDATE_RULE, R.DELETE_RULE, A.CONSTRAINT_NAME AS FK_NAME, TC.CONSTRAINT_NAME AS PK_NAME FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE A JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS B USING (TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME) JOIN INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS R ON (R.CONSTRAINT_NAME = B.CONSTRAINT_NAME AND R.TABLE_NAME = B.TABLE_NAME AND R.CONSTRAINT_SCHEMA = B.TABLE_SCHEMA) LEFT JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS TC ON (A.REFERENCED_TABLE_SCHEMA = TC.TABLE_SCHEMA AND A.REFERENCED_TABLE_NAME = TC.TABLE_NAME AND TC.CONSTRAINT_TYPE IN ('UNIQUE', 'PRIMARY KEY')) WHERE B.CONSTRAINT_TYPE = 'FOREIGN KEY' AND A.TABLE_SCHEMA = 'shop' AND A.TABLE_NAME = 't_single' AND A.REFERENCED_TABLE_SCHEMA IS NOT NULL ORDER BY A.REFERENCED_TABLE_SCHEMA, A.REFERENCED_TABLE_NAME, A.ORDINAL_POSITION;
-- ignore types
SELECT SCHEMA_NAME AS TABLE_CAT FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME LIKE 'shop' ORDER BY TABLE_CAT;

-- Object mappers: what they compare a model with, or make one from.
-- ignore types
SELECT COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, COLUMN_TYPE, COLUMN_KEY, EXTRA FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'users' ORDER BY ORDINAL_POSITION;
-- ignore types
SELECT table_name, table_type, table_comment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'users' ORDER BY table_name;
-- ignore types
SELECT table_name, table_rows >= 0 FROM information_schema.tables WHERE table_schema = 'shop' AND table_type = 'BASE TABLE' AND table_name IN ('users', 't_phys');
-- ignore types
SELECT column_name, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage WHERE table_name = 't_single' AND table_schema = DATABASE() AND referenced_table_schema = DATABASE() AND referenced_table_name IS NOT NULL AND referenced_column_name IS NOT NULL;
-- ignore types
SELECT kc.`constraint_name`, kc.`column_name`, kc.`referenced_table_name`, kc.`referenced_column_name` FROM information_schema.key_column_usage AS kc WHERE kc.table_schema = DATABASE() AND kc.table_name = 't_single' ORDER BY kc.ordinal_position, 1;
SELECT cc.constraint_name, cc.check_clause FROM information_schema.check_constraints AS cc, information_schema.table_constraints AS tc WHERE cc.constraint_schema = DATABASE() AND tc.table_schema = cc.constraint_schema AND cc.constraint_name = tc.constraint_name AND tc.constraint_type = 'CHECK' AND tc.table_name = 'orders';
-- ignore types
SELECT fk.referenced_table_name AS 'to_table', fk.referenced_column_name AS 'primary_key', fk.column_name AS 'column', fk.constraint_name AS 'name', rc.update_rule AS 'on_update', rc.delete_rule AS 'on_delete' FROM information_schema.referential_constraints rc JOIN information_schema.key_column_usage fk USING (constraint_schema, constraint_name) WHERE fk.referenced_column_name IS NOT NULL AND fk.table_schema = DATABASE() AND fk.table_name = 't_single' AND rc.constraint_schema = DATABASE() AND rc.table_name = 't_single';
-- ignore types
SELECT column_name FROM information_schema.statistics WHERE index_name = 'PRIMARY' AND table_schema = DATABASE() AND table_name = 'orders' ORDER BY seq_in_index;
-- ignore types
SELECT engine, table_collation AS `collation`, table_comment AS comment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'users';
-- ignore types
SELECT TABLE_NAME AS tableName, COLUMN_NAME AS columnName, CONSTRAINT_NAME AS constraintName, CONSTRAINT_SCHEMA AS constraintSchema, REFERENCED_TABLE_NAME AS referencedTableName FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE WHERE TABLE_NAME = 't_single' AND CONSTRAINT_NAME != 'PRIMARY' AND CONSTRAINT_SCHEMA = 'shop' AND REFERENCED_TABLE_NAME IS NOT NULL;
-- ignore types
SELECT * FROM `INFORMATION_SCHEMA`.`COLUMNS` WHERE `TABLE_SCHEMA` = 'shop' AND `TABLE_NAME` = 'users' ORDER BY `ORDINAL_POSITION`;
-- ignore types
SELECT DISTINCT k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME /*!50116 , c.UPDATE_RULE, c.DELETE_RULE */ FROM information_schema.KEY_COLUMN_USAGE k /*!50116 INNER JOIN information_schema.REFERENTIAL_CONSTRAINTS c ON c.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND c.TABLE_NAME = 't_single' */ WHERE k.TABLE_NAME = 't_single' AND k.TABLE_SCHEMA = 'shop' /*!50116 AND c.CONSTRAINT_SCHEMA = 'shop' */ AND k.REFERENCED_COLUMN_NAME IS NOT NULL;
SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 'schema_migrations';

-- Browsers and dumps.
SELECT DEFAULT_CHARACTER_SET_NAME IS NOT NULL FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'shop';
-- ignore types
SELECT kc.CONSTRAINT_NAME, kc.TABLE_NAME, kc.COLUMN_NAME, kc.ORDINAL_POSITION FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE kc WHERE kc.TABLE_SCHEMA = 'shop' AND kc.REFERENCED_TABLE_NAME IS NULL AND kc.TABLE_NAME = 'users' ORDER BY kc.CONSTRAINT_NAME, kc.ORDINAL_POSITION;
SELECT COUNT(*) FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'UNDO LOG' AND FILE_NAME IS NOT NULL AND LOGFILE_GROUP_NAME IN (SELECT DISTINCT LOGFILE_GROUP_NAME FROM INFORMATION_SCHEMA.FILES WHERE FILE_TYPE = 'DATAFILE' AND TABLESPACE_NAME IN (SELECT DISTINCT TABLESPACE_NAME FROM INFORMATION_SCHEMA.PARTITIONS WHERE TABLE_SCHEMA IN ('shop')));
-- only mysql
-- ignore types
SELECT COLUMN_NAME, JSON_EXTRACT(HISTOGRAM, '$."number-of-buckets-specified"') FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME = 'shop' AND TABLE_NAME = 'users';
-- only mysql
-- ignore types
SELECT `COLUMN_NAME` AS `Field`, `COLUMN_TYPE` AS `Type`, `IS_NULLABLE` AS `Null`, `COLUMN_KEY` AS `Key`, `COLUMN_DEFAULT` AS `Default`, `EXTRA` AS `Extra`, `COLUMN_COMMENT` AS `Comment` FROM `information_schema`.`COLUMNS` WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders' ORDER BY ORDINAL_POSITION;
SELECT /*!40001 SQL_NO_CACHE */ * FROM `users` ORDER BY id;
/*!40100 SET @@SQL_MODE='' */;
/*!40103 SET TIME_ZONE='+00:00' */;
-- only mysql
/*!80000 SET SESSION information_schema_stats_expiry=0 */;
SET SESSION NET_READ_TIMEOUT= 86400, SESSION NET_WRITE_TIMEOUT= 86400;
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;
START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */;
-- ignore rows
SHOW VARIABLES LIKE 'gtid\_mode';
-- only mysql
-- ignore rows
SELECT @@GLOBAL.GTID_EXECUTED;
-- text
UNLOCK TABLES;
SHOW CREATE DATABASE IF NOT EXISTS `shop`;
SAVEPOINT sp;
-- ignore rows
SHOW TABLE STATUS LIKE 'users';
SET SQL_QUOTE_SHOW_CREATE=1;
SET SESSION character_set_results = 'binary';
-- ignore types
-- ignore rows
SHOW CREATE TABLE `users`;
SET SESSION character_set_results = 'utf8mb4';
SHOW FIELDS FROM `users`;
SHOW TRIGGERS LIKE 'users';
SET SESSION character_set_results = 'utf8mb4';
ROLLBACK TO SAVEPOINT sp;
RELEASE SAVEPOINT sp;
ROLLBACK;
SHOW SESSION VARIABLES LIKE 'lower_case_table_names';
-- ignore rows
SHOW SESSION STATUS LIKE 'Ssl_cipher';
-- ignore rows
SHOW TABLE STATUS FROM `shop` LIKE 'users';
-- ignore types
SELECT * FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'information_schema' AND t.TABLE_NAME = 'NO_SUCH_THING';
-- ignore rows
SHOW PLUGINS;
DROP TABLE users, orders, t_both, t_phys, t_single;
