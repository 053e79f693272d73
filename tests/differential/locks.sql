-- Named locks, which one server holds for all sessions.
SELECT GET_LOCK('first', 0);
SELECT IS_FREE_LOCK('first'), IS_FREE_LOCK('other');
-- ignore types
SELECT IS_USED_LOCK('first') = CONNECTION_ID(), IS_USED_LOCK('other');
-- session two
SELECT GET_LOCK('first', 0), IS_FREE_LOCK('first');
SELECT IS_USED_LOCK('first') = CONNECTION_ID();
SELECT RELEASE_LOCK('first'), RELEASE_LOCK('never');
SELECT GET_LOCK('second', 1) AS locked;
-- session main
SELECT GET_LOCK('second', 0);
SELECT RELEASE_LOCK('first');
SELECT RELEASE_LOCK('first');
-- session two
SELECT GET_LOCK('first', 0);
DO RELEASE_LOCK('second');
-- session main
SELECT GET_LOCK('second', 0);
SELECT GET_LOCK('second', 0);
SELECT GET_LOCK(CONCAT('com', 'puted'), 0);
SELECT RELEASE_ALL_LOCKS();
SELECT IS_FREE_LOCK('second'), IS_FREE_LOCK('computed');
-- session two
SELECT RELEASE_ALL_LOCKS();
BEGIN;
SELECT GET_LOCK('third', 0);
ROLLBACK;
SELECT IS_FREE_LOCK('third');
SELECT RELEASE_LOCK('third');
-- refused
SET @a = GET_LOCK('fourth', 0);

-- LOCK TABLES, of tables that are in one place.
DROP TABLE IF EXISTS lk;
DROP TABLE IF EXISTS lk2;
CREATE TABLE lk (id INT PRIMARY KEY, n INT);
CREATE TABLE lk2 (id INT PRIMARY KEY, n INT);
-- text
LOCK TABLES lk WRITE;
INSERT INTO lk VALUES (1, 1), (2, 2);
SELECT * FROM lk ORDER BY id;
-- error 1100
SELECT * FROM lk2;
ALTER TABLE lk ADD COLUMN c INT;
UPDATE lk SET n = n + 1;
-- text
UNLOCK TABLES;
SELECT * FROM lk2;
-- text
LOCK TABLES lk READ, lk2 AS other READ;
-- error 1099
INSERT INTO lk VALUES (3, 3, 3);
SELECT COUNT(*) FROM lk;
SELECT COUNT(*) FROM lk2 AS other;
-- text
BEGIN;
INSERT INTO lk VALUES (3, 3, 3);
COMMIT;
-- text
UNLOCK TABLES;

-- HANDLER.
-- text
HANDLER lk OPEN;
-- text
HANDLER lk READ FIRST;
-- text
HANDLER lk READ NEXT LIMIT 2;
-- text
HANDLER lk2 OPEN AS h2;
-- text
HANDLER h2 READ FIRST;
-- text
HANDLER h2 CLOSE;
-- text
HANDLER lk CLOSE;
-- text
-- error 1109
HANDLER lk READ FIRST;
DROP TABLE lk, lk2;
