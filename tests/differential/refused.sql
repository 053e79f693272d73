-- A statement for each reason to refuse one, with its words. Reasons that tests/plans/*.yaml provoke are there.
DROP TABLE IF EXISTS t_hash;
DROP TABLE IF EXISTS t_modulo;
DROP TABLE IF EXISTS t_list;
DROP TABLE IF EXISTS t_both;
DROP TABLE IF EXISTS t_single;
DROP TABLE IF EXISTS t_other;
DROP TABLE IF EXISTS t_text;
DROP TABLE IF EXISTS t_broadcast;
CREATE TABLE t_hash (id INT NOT NULL PRIMARY KEY, n INT, s VARCHAR(20) COLLATE {ai_ci}, e ENUM('ä','b'), l VARCHAR(10) CHARACTER SET latin1, v VARBINARY(9));
CREATE TABLE t_modulo (id INT NOT NULL, n INT, s VARCHAR(20));
CREATE TABLE t_ring (id INT NOT NULL, at TIMESTAMP NOT NULL, n INT, PRIMARY KEY (id, at));
CREATE TABLE t_both (id INT NOT NULL, grp INT NOT NULL, n INT, PRIMARY KEY (id, grp));
CREATE TABLE t_single (id INT NOT NULL PRIMARY KEY, n INT);
CREATE TABLE t_other (id INT NOT NULL PRIMARY KEY, n INT);
CREATE TABLE t_broadcast (id INT NOT NULL PRIMARY KEY, n INT);
INSERT INTO t_hash VALUES (1, 1, 'a', 'ä', 'x', 'a'), (2, 2, 'b', 'b', 'y', 'bb'), (3, 3, 'c', NULL, NULL, NULL);
INSERT INTO t_modulo VALUES (1, 1, 'a'), (2, 2, 'b');
INSERT INTO t_ring VALUES (1, '2024-01-01 00:00:00', 1), (2, '2024-01-02 00:00:00', 2);
INSERT INTO t_both VALUES (1, 1, 1), (2, 2, 2);

-- Writes.
-- refused: ON DUPLICATE KEY UPDATE with the column `n` of the query is not supported over shards; write VALUES(column)
INSERT INTO t_hash (id, n) SELECT m.id, m.n FROM t_modulo m ON DUPLICATE KEY UPDATE t_hash.n = m.n + 1;
-- refused: a subquery inside this form of INSERT into a sharded or broadcast table is not supported; write INSERT ... SELECT
INSERT INTO t_hash SET id = 9, n = (SELECT COUNT(*) FROM t_single);
-- refused: has no primary key by which the rows that the statement picks could be found again; add one
DELETE FROM t_modulo ORDER BY n LIMIT 1;
-- refused: has a type by whose values rows cannot be found again for certain; give conditions that select one shard
DELETE FROM t_ring ORDER BY n LIMIT 1;
-- refused: an INSERT that assigns user variables and whose rows go to several shards is not supported; insert the rows one by one
INSERT INTO t_hash (id, n) VALUES (20, @x := 1), (21, @x := 2), (22, 2), (23, 3), (24, 4), (25, 5), (26, 6);
-- refused: RETURNING with INSERT ... SELECT into a sharded or broadcast table is not supported; read the rows afterwards
-- only mariadb
INSERT INTO t_hash (id, n) SELECT id + 100, n FROM t_modulo RETURNING id;
-- refused: INSERT ... PARTITION into a sharded table is not supported
INSERT INTO t_hash PARTITION (p0) (id, n) VALUES (30, 1);

-- Definitions.
-- refused: RENAME of the sharded or broadcast table `t_hash` is not supported
RENAME TABLE t_hash TO t_hash_2;
-- refused: CREATE TABLE `t_list` ... SELECT with partitions is not supported; create the table, then insert the rows
CREATE TABLE t_list PARTITION BY HASH (id) SELECT id, 1 AS grp FROM t_hash;
-- refused: a temporary table named like the sharded or broadcast table `t_hash` is not supported; take another name
CREATE TEMPORARY TABLE t_hash (id INT);
-- refused: CREATE TEMPORARY TABLE of a query over shards is not supported; create it, then INSERT ... SELECT
CREATE TEMPORARY TABLE mine SELECT id FROM t_hash;
CREATE TEMPORARY TABLE mine (id INT);
-- refused: DROP TABLE of temporary tables together with others is not supported; drop them by a statement of their own
DROP TABLE mine, t_single;
-- refused: a temporary table, or any after LOCK TABLES, beside rows of several shards is not supported; copy the rows into a temporary table first, by INSERT ... SELECT
SELECT m.id FROM mine m JOIN t_hash h ON h.n = m.id;
DROP TEMPORARY TABLE mine;

-- Sessions.
-- refused: GET_LOCK() and its like beside tables, in SET or in writes are not supported; SELECT them alone
SELECT GET_LOCK('a', 1) FROM t_hash;
-- refused: CALL in the schema `shop`, which lies on several shards: a procedure sees the rows of one alone; name the shard by the hint /*margay: shard=NAME */
CALL p(1);
-- refused: the schema `shop` has no shard `c0/none`
/*margay: shard=c0/none */ CALL p(1);
-- refused: LOAD_FILE() is not supported; read the file in the application
SELECT LOAD_FILE('/etc/passwd');
-- refused: XA statements are not supported; use BEGIN and COMMIT
XA START 'a';
-- refused: LOCK TABLES of `t_both`, which has several tables in one database, is not supported; lock rows by SELECT ... FOR UPDATE
-- text
LOCK TABLES t_both READ;
-- refused: HANDLER of the sharded or broadcast table `t_hash` is not supported; lock rows by SELECT ... FOR UPDATE
-- text
HANDLER t_hash OPEN;
-- refused: CHECKSUM TABLE is not supported; to run it on one shard put /*margay: shard=NAME */ in front
-- text
CHECKSUM TABLE t_single;
-- refused: is not supported, since it cannot follow the session from connection to connection; set it on the servers
SET SESSION sql_log_bin = 0;
-- refused: a subquery beside a system variable in SET is not supported; read the value first and set it then
SET sql_safe_updates = (SELECT COUNT(*) FROM t_hash) > 100;
-- refused: SET margay_read_consistency beside other variables is not supported; set it in a statement of its own
SET margay_read_consistency = 'strong', sql_mode = '';
-- refused: SELECT ... INTO OUTFILE and INTO DUMPFILE write a file on a server, and are not supported
SELECT id FROM t_hash INTO OUTFILE '/tmp/x';
-- refused: EXPLAIN of this statement is not supported; EXPLAIN FORMAT=MARGAY shows where it runs
EXPLAIN INSERT INTO t_hash (id) VALUES (40);
-- refused: transaction `mine`: not a name of a transaction; it is in the error that told of it
SHOW MARGAY TRANSACTION 'mine';

-- Queries.
-- refused: a statement that reads information_schema and a table of several shards is not supported; read them one by one
SELECT s.id, t.table_name FROM t_hash s JOIN information_schema.tables t ON t.table_rows = s.n;
BEGIN;
-- refused: a statement that reads information_schema and other tables is not supported inside a transaction
SELECT s.id, t.table_name FROM t_single s JOIN information_schema.tables t ON t.table_rows = s.n;
ROLLBACK;
-- refused: SELECT ... PROCEDURE is not supported; leave it out
-- only mariadb
SELECT id FROM t_hash PROCEDURE ANALYSE();
-- refused: LIMIT ROWS EXAMINED is not supported; leave it out
-- only mariadb
SELECT id FROM t_hash LIMIT 1 ROWS EXAMINED 100;
-- refused: a bit aggregate over several shards meets binary strings of different lengths; give them one length
-- only mysql
SELECT BIT_OR(v) FROM t_hash;

-- Views.
-- refused: an expression between two wildcards in a view needs a name; give it one with AS
CREATE VIEW v_refused AS SELECT a.*, a.n + 1, b.* FROM t_hash a JOIN (SELECT 1 AS z) b;
CREATE VIEW v_refused AS SELECT id, n FROM t_hash;
-- refused: RENAME of the view `v_refused` is not supported; drop it, and create it anew
RENAME TABLE v_refused TO v_renamed;
-- refused: TABLE with a comment behind it
TABLE /* here */ v_refused;
DROP VIEW v_refused;
-- refused: a view with a comment such as /*!80000 ... */ that only some servers run is not supported
CREATE VIEW v_refused AS SELECT /*!80030 id, */ n FROM t_hash;
-- refused: `t_time` is the name of a table in the rules; call the view otherwise
CREATE VIEW t_time AS SELECT id FROM t_hash;
CREATE VIEW v_letters AS SELECT id, 'ä' AS a FROM t_hash;
SET NAMES latin1;
-- refused: a view with letters outside of ASCII in the character set latin1 is not supported; use SET NAMES utf8mb4
CREATE VIEW v_refused AS SELECT id, 'ä' AS a FROM t_hash;
-- refused: has letters outside of ASCII in its definition, which the character set
SELECT * FROM v_letters;
SET NAMES utf8mb4;
DROP VIEW v_letters;
DROP TABLE t_ring;
DROP TABLE t_both;
