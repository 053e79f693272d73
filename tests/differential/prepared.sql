-- Statements prepared in SQL, and what COM_STMT_PREPARE takes.
DROP TABLE IF EXISTS t_hash;
CREATE TABLE t_hash (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(20) COLLATE {ai_ci}, n DECIMAL(10,2));
INSERT INTO t_hash VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5), (4, NULL, NULL);

-- text
PREPARE p FROM 'SELECT ? + 1, ?';
-- text
SET @x = 5, @y = 'why', @z = NULL, @d = 2.5, @e = 1e3;
-- text
-- ignore types
EXECUTE p USING @x, @y;
-- text
-- ignore types
EXECUTE p USING @z, @never;
-- text
-- error 1210
EXECUTE p USING @x;
-- text
-- error 1210
EXECUTE p;
-- text
PREPARE P FROM 'SELECT id, name FROM t_hash WHERE id = ?';
-- text
EXECUTE p USING @x;
-- text
SET @x = 2;
-- text
EXECUTE p USING @x;
-- text
DEALLOCATE PREPARE p;
-- text
-- error 1243
EXECUTE p;
-- text
-- error 1243
DEALLOCATE PREPARE p;
-- text
-- error 1243
DROP PREPARE p;
-- text
PREPARE list FROM 'SELECT id, name FROM t_hash WHERE id > ? ORDER BY id LIMIT ? OFFSET ?';
-- text
SET @low = 0, @count = 2, @skip = 1;
-- text
EXECUTE list USING @low, @count, @skip;
-- text
PREPARE ins FROM 'INSERT INTO t_hash (id, name, n) VALUES (?, ?, ?)';
-- text
SET @id = 10, @name = 'tän', @n = 10.25;
-- text
EXECUTE ins USING @id, @name, @n;
-- text
SELECT ROW_COUNT();
-- text
-- error 1062
EXECUTE ins USING @id, @name, @n;
-- text
SET @id = @id + 1, @name = 'it''s \\ back';
-- text
EXECUTE ins USING @id, @name, @n;
SELECT * FROM t_hash ORDER BY id;
-- text
PREPARE up FROM 'UPDATE t_hash SET n = n + ? WHERE id = ?';
-- text
EXECUTE up USING @d, @id;
SELECT n FROM t_hash WHERE id = 11;

-- From variables.
-- text
SET @sql = 'SELECT COUNT(*) AS c FROM t_hash';
-- text
PREPARE v FROM @sql;
-- text
EXECUTE v;
-- text
-- error 1064
PREPARE v FROM @never;
-- text
-- error 1243
EXECUTE v;
-- text
SET @sql = CONCAT('SELECT ', 1 + 1);
-- text
PREPARE v FROM @sql;
-- text
EXECUTE v;

-- What cannot be prepared.
-- text
-- error 1064
PREPARE bad FROM 'SELEC 1';
-- text
-- error 1146
PREPARE bad FROM 'SELECT * FROM no_such_table';
-- text
-- error 1054
PREPARE bad FROM 'SELECT no_such_column FROM t_hash';
-- text
-- error 1295
PREPARE bad FROM 'PREPARE x FROM ''SELECT 1''';
-- text
-- error 1295
PREPARE bad FROM 'EXECUTE list';
-- text
-- error 1064
PREPARE bad FROM 'SELECT 1; SELECT 2';
-- text
-- error 1065
PREPARE bad FROM '';

-- Other statements.
-- text
PREPARE s FROM 'SHOW COLUMNS FROM t_hash';
-- text
EXECUTE s;
-- text
PREPARE s FROM 'SET @out = ?';
-- text
EXECUTE s USING @name;
-- text
SELECT @out, @out = @name;
-- text
PREPARE s FROM 'DO ?';
-- text
EXECUTE s USING @x;
-- text
PREPARE s FROM 'CREATE TABLE IF NOT EXISTS t_modulo (id BIGINT PRIMARY KEY)';
-- text
EXECUTE s;
-- text
PREPARE s FROM 'COMMIT';
-- text
EXECUTE s;
DROP TABLE t_modulo;

-- By the protocol.
SHOW COLUMNS FROM t_hash;
DESCRIBE t_hash;
SHOW TABLES LIKE 't\_hash';
SHOW CREATE TABLE t_hash;
SHOW VARIABLES LIKE 'autocommit';
-- ignore rows
EXPLAIN SELECT * FROM t_hash WHERE id = 1;
SET @p = 1;
SELECT @p;
SET NAMES utf8mb4;
DO 1;
COMMIT;
TRUNCATE t_hash;
DROP TABLE t_hash;

-- MariaDB.
-- only mariadb
-- text
EXECUTE IMMEDIATE 'SELECT ? + 1' USING 5;
-- only mariadb
-- text
EXECUTE IMMEDIATE CONCAT('SELECT ', '2');
