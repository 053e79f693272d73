-- What a session tells of itself, and SET in all its forms.
SELECT LAST_INSERT_ID(7);
SELECT LAST_INSERT_ID();
SELECT LAST_INSERT_ID(LAST_INSERT_ID() + 1);
SELECT LAST_INSERT_ID(), @@last_insert_id, @@identity;
DO LAST_INSERT_ID(20);
SELECT LAST_INSERT_ID();
DROP TABLE IF EXISTS t_hash;
CREATE TABLE t_hash (id INT PRIMARY KEY, n INT);
INSERT INTO t_hash VALUES (1, 1), (2, 2);
-- text
SELECT ROW_COUNT();
UPDATE t_hash SET n = LAST_INSERT_ID(n + 40) WHERE id = 2;
SELECT LAST_INSERT_ID();
-- text
SELECT ROW_COUNT();
DELETE FROM t_hash WHERE id > 5;
-- text
SELECT ROW_COUNT();
-- text
SELECT ROW_COUNT();
SELECT DATABASE(), SCHEMA(), DATABASE() = 'shop';
SELECT CONNECTION_ID() = CONNECTION_ID(), CONNECTION_ID() > 0;
SELECT LENGTH(USER()) > 0, LENGTH(CURRENT_USER) > 0, CURRENT_USER() = CURRENT_USER;
-- shape
SELECT @@hostname, @@port, @@version, @@version_comment, @@socket;
-- shape
SELECT @@hostname IS NULL, @@global.port, @@session.pseudo_thread_id;

-- Warnings.
SELECT CAST('1x' AS SIGNED), CAST('2y' AS SIGNED), CAST('3z' AS SIGNED);
-- text
SHOW WARNINGS LIMIT 1;
-- text
SHOW WARNINGS LIMIT 1, 2;
-- text
SHOW WARNINGS LIMIT 1 OFFSET 2;
-- text
SHOW WARNINGS LIMIT 0;
-- text
SHOW COUNT(*) WARNINGS;
-- text
SHOW COUNT(*) ERRORS;
-- text
SELECT @@warning_count, @@error_count;
-- text
-- error 1146
SELECT * FROM no_such_table;
-- text
SHOW ERRORS LIMIT 1;
-- text
SHOW COUNT(*) ERRORS;
-- text
SELECT @@error_count, @@session.warning_count;

-- Variables.
SET @a = 1, @b = @a + 1;
SELECT @a, @b;
SET @@session.sql_safe_updates = 1, @@foreign_key_checks = 0, unique_checks = OFF;
SELECT @@sql_safe_updates, @@foreign_key_checks, @@unique_checks;
SET sql_safe_updates = 0, foreign_key_checks = 1, unique_checks = 1;
SELECT @@sql_safe_updates, @@foreign_key_checks, @@unique_checks;
-- error 1231
SET @never_set = 5, sql_mode = 'NO_SUCH_MODE';
-- ignore types prepare
SELECT @never_set;
-- error 1231
SET group_concat_max_len = 4096, sql_mode = 'NO_SUCH_MODE';
SELECT @@group_concat_max_len = @@global.group_concat_max_len;
-- error 1232
SET group_concat_max_len = 'text';
SET timestamp = 1000000000;
SELECT NOW(), UNIX_TIMESTAMP(), @@timestamp;
SET timestamp = DEFAULT;
SELECT UNIX_TIMESTAMP() > 1000000000;
SET lc_time_names = 'de_DE';
SELECT @@lc_time_names, MONTHNAME('2026-03-01'), DAYNAME('2026-03-01');
SET lc_time_names = DEFAULT;
SET SESSION innodb_lock_wait_timeout = 7;
SELECT @@innodb_lock_wait_timeout;
SET innodb_lock_wait_timeout = DEFAULT;
-- only mysql
SET max_execution_time = 20000;
-- only mysql
SELECT @@max_execution_time;
-- only mysql
SET max_execution_time = DEFAULT;
SET sql_select_limit = 1;
SELECT @@sql_select_limit;
SELECT 1 UNION ALL SELECT 2;
SELECT id FROM t_hash ORDER BY id;
SELECT id FROM t_hash ORDER BY id LIMIT 2;
SELECT COUNT(*) FROM (SELECT id FROM t_hash) x;
SET sql_select_limit = DEFAULT;
SELECT 1 UNION ALL SELECT 2;
SET last_insert_id = 77;
SELECT LAST_INSERT_ID(), @@last_insert_id;
SET @@identity = 78;
SELECT LAST_INSERT_ID();
SET SESSION TRANSACTION READ ONLY;
SET SESSION TRANSACTION READ WRITE;
SET CHARACTER SET latin1;
SELECT @@character_set_client, @@character_set_results, @@collation_connection = @@collation_database;
SET CHARACTER SET DEFAULT;
SET NAMES DEFAULT;
SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci';
SELECT @@collation_connection;
-- error 1253
SET NAMES utf8mb4 COLLATE latin1_bin;
SELECT @@collation_connection;
SET NAMES utf8mb4;

-- How text is read.
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES';
SELECT "id", 'a' || 'b\n' FROM "t_hash";
SET sql_mode = 'ANSI';
SELECT 'x' || 'y' AS "z", COUNT (*) FROM "t_hash";
SET sql_mode = 'HIGH_NOT_PRECEDENCE';
SELECT NOT 1 BETWEEN -5 AND 5;
SET sql_mode = '';
SELECT NOT 1 BETWEEN -5 AND 5, "text", 1 || 0;
SET sql_mode = DEFAULT;
DROP TABLE t_hash;
