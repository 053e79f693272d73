-- Statements without tables, variables, what a session shows of itself.
SELECT 1;
SELECT 1 AS one, 'two', 3.0, 4e0, NULL, TRUE, x'41', b'1', DATE '2024-02-29';
SELECT 1 + 1, 7 / 2, 7 DIV 2, 7 % 2, -5, ~0, 1 << 3, 5 ^ 1;
SELECT 'a' 'b', 'it''s', "double", 'back\\slash', 'new\nline', '';
SELECT _utf8mb4'ä', N'ö', _latin1'x', CHARSET('x'), COLLATION('x');
SELECT UPPER('abc'), CONCAT('a', NULL), LENGTH('日本'), CHAR_LENGTH('日本');
SELECT IF(1 > 2, 'yes', 'no'), CASE WHEN TRUE THEN 1 END, COALESCE(NULL, 2);
SELECT 1 UNION SELECT 2 ORDER BY 1;
SELECT 1 WHERE FALSE;
SELECT 1 FROM DUAL;
SELECT DATABASE(), SCHEMA();
-- shape
SELECT NOW(), CURRENT_TIMESTAMP(6), CURDATE(), RAND(), UUID();
-- shape
SELECT CONNECTION_ID();
-- shape
SELECT USER(), CURRENT_USER();
-- shape
SELECT VERSION(), @@version, @@version_comment;
SELECT @@autocommit, @@sql_mode, @@session.sql_mode;
SELECT @@character_set_client, @@character_set_connection, @@character_set_results, @@collation_connection;
SELECT @@max_allowed_packet > 0, @@time_zone, @@sql_auto_is_null;
SELECT @@global.autocommit, @@SESSION.autocommit AS a, @@local.autocommit;
-- only mysql
SELECT @@transaction_isolation, @@transaction_read_only;
-- only mariadb
SELECT @@tx_isolation, @@tx_read_only;
SELECT @@foreign_key_checks, @@unique_checks, @@sql_safe_updates, @@sql_select_limit;
-- ignore rows
SHOW VARIABLES LIKE 'autocommit';
SHOW VARIABLES LIKE 'sql_mode';
SHOW VARIABLES WHERE Variable_name IN ('autocommit', 'time_zone');
-- error 1193
SELECT @@no_such_variable;
-- error 1193
SET no_such_variable = 1;

-- User variables.
SET @a = 5;
SET @b = 'text', @c = 1.5, @d = NULL;
SELECT @a, @b, @c, @d, @never;
SELECT @a := @a + 1;
SELECT @a;
SET @a := 7, @e = @a;
SELECT @a, @e IS NOT NULL;

-- Session variables.
SET SESSION sql_mode = 'ANSI_QUOTES';
SELECT 'x' AS "quoted";
SELECT @@sql_mode;
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
SELECT 'a\b';
SET sql_mode = 'PIPES_AS_CONCAT';
SELECT 'a' || 'b';
SET sql_mode = DEFAULT;
SELECT 1 || 0;
SET time_zone = '+03:00';
SELECT @@time_zone, FROM_UNIXTIME(0);
SET time_zone = 'SYSTEM';
SET NAMES latin1;
SELECT @@character_set_client, @@collation_connection, CHARSET('x');
SET NAMES utf8mb4 COLLATE utf8mb4_bin;
SELECT @@collation_connection, 'a' = 'A';
SET NAMES utf8mb4;
SET CHARACTER SET utf8mb4;
SET autocommit = 0;
SELECT @@autocommit;
SET autocommit = ON;
SELECT @@autocommit;
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SET @@session.group_concat_max_len = 2048;
SELECT @@group_concat_max_len;
SET group_concat_max_len = DEFAULT;
-- error 1231
SET sql_mode = 'NO_SUCH_MODE';
-- error 1115
SET NAMES no_such_charset;

-- Ids, counts, warnings.
DROP TABLE IF EXISTS counters;
SHOW WARNINGS;
SHOW COUNT(*) WARNINGS;
CREATE TABLE counters (id INT PRIMARY KEY AUTO_INCREMENT, n INT);
INSERT INTO counters (n) VALUES (10);
SELECT LAST_INSERT_ID();
INSERT INTO counters (n) VALUES (20), (30);
SELECT LAST_INSERT_ID(), @@last_insert_id;
INSERT INTO counters (id, n) VALUES (100, 1);
SELECT LAST_INSERT_ID();
INSERT INTO counters (id, n) VALUES (1, 5) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), n = 6;
SELECT LAST_INSERT_ID();
UPDATE counters SET n = n + 1;
-- text
SELECT ROW_COUNT();
SELECT ROW_COUNT();
DELETE FROM counters WHERE n > 20;
SELECT SQL_CALC_FOUND_ROWS id FROM counters ORDER BY id LIMIT 1;
-- text
SELECT FOUND_ROWS();
-- only mysql
SELECT 1 / 0;
-- only mysql
SHOW WARNINGS;
SELECT CAST('12abc' AS SIGNED);
SHOW WARNINGS;
SHOW COUNT(*) WARNINGS;
SELECT @@warning_count;
-- error 1146
SELECT * FROM no_such_table;
SHOW ERRORS;
SHOW WARNINGS;
DROP TABLE counters;

-- What is there.
DROP TABLE IF EXISTS t_hash;
CREATE TABLE t_hash (id INT NOT NULL COMMENT 'the key', name VARCHAR(20) COLLATE {ai_ci} DEFAULT 'x', PRIMARY KEY (id), KEY by_name (name)) COMMENT 'a table';
SHOW TABLES LIKE 't\_hash';
SHOW FULL TABLES LIKE 't\_hash';
SHOW TABLES FROM shop WHERE Tables_in_shop = 't_hash';
DESCRIBE t_hash;
DESC t_hash name;
EXPLAIN t_hash;
SHOW COLUMNS FROM t_hash;
SHOW FULL COLUMNS FROM t_hash FROM shop;
SHOW COLUMNS FROM t_hash LIKE 'n%';
SHOW FIELDS IN shop.t_hash;
-- ignore rows
SHOW INDEX FROM t_hash;
SHOW CREATE TABLE t_hash;
SHOW CREATE TABLE shop.t_hash;
-- shape
SHOW TABLE STATUS LIKE 't\_hash';
SHOW DATABASES LIKE 'shop';
-- ignore rows
SHOW COLLATION LIKE 'utf8mb4_bin';
SHOW CHARACTER SET LIKE 'latin1';
-- ignore rows
SHOW ENGINES;
-- ignore rows
SHOW STATUS LIKE 'Threads_connected';
-- Margay shows its own clients.
-- ignore rows columns types warnings
SHOW PROCESSLIST;
SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 't_hash';
-- ignore types
SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't_hash' ORDER BY ORDINAL_POSITION;
SELECT SCHEMA_NAME FROM information_schema.schemata WHERE SCHEMA_NAME = 'shop';
-- text
-- error 1146
DESCRIBE no_such_table;
-- error 1146
SHOW CREATE TABLE no_such_table;
-- error 1049
SHOW TABLES FROM no_such_schema;
-- text
USE shop;
-- text
-- error 1049 1044
USE no_such_schema;
-- MariaDB does not tell a missing schema from a missing table.
-- error 1049 1146
-- ignore error
SELECT * FROM no_such_schema.t;
DROP TABLE t_hash;

-- Mistakes.
-- error 1064
SELEC 1;
-- error 1064
SELECT;
-- error 1064
SELECT 'unfinished;
-- error 1065
 ;
-- text
/* nothing */;
-- error 1305
SELECT no_such_function(1);
-- error 1582
SELECT UPPER();
-- error 1054
SELECT nothing;
-- error 1096
SELECT *;
-- error 1146
INSERT INTO no_such_table VALUES (1);
-- error 1146
UPDATE no_such_table SET a = 1;
-- error 1146
DELETE FROM no_such_table;
-- error 1051
DROP TABLE no_such_table;
DO 1 + 1;
DO 1, 'a', (SELECT 2);
-- only mysql
-- error 1242
DO (SELECT 1 UNION SELECT 2);
SELECT SLEEP(0);
/* a comment in front */ SELECT 1;
/*!40101 SELECT 'versioned' */;
SELECT /*! 'inside' AS */ inside FROM (SELECT 1 AS inside) x;
   SELECT    'spaces'   ;

-- Character sets among other assignments, and those of the server; drivers set them when they connect.
SET NAMES latin1, @a = 1, sql_mode = 'ANSI';
SELECT @@character_set_client, @@collation_connection, @a, @@sql_mode;
SET autocommit = 1, NAMES utf8mb4 COLLATE utf8mb4_bin, sql_mode = DEFAULT;
SELECT @@character_set_client, @@character_set_results, @@collation_connection, @@autocommit;
SET @a = 2, CHARACTER SET utf8mb4;
SELECT @@character_set_client, @@character_set_results, @a;
SET NAMES utf8mb4;
SET character_set_server = 'latin1';
SELECT @@character_set_server, @@collation_server;
SET collation_server = 'utf8mb4_bin';
SELECT @@character_set_server, @@collation_server;
SET character_set_results = NULL;
SELECT @@character_set_results, 'x';
SET NAMES utf8mb4;
SET sql_mode = (SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')), time_zone = '+00:00', NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;
SELECT 'a' || 'b', @@time_zone, @@collation_connection;
SET sql_mode = DEFAULT, time_zone = DEFAULT, NAMES utf8mb4;
/*M!999999\- enable the sandbox mode */ SELECT 1;
