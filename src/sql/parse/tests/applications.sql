select o1_0.id,o1_0.created_at,o1_0.status,o1_0.user_id from orders o1_0 where o1_0.id=?
select user0_.id as id1_0_, user0_.email as email2_0_, user0_.name as name3_0_ from users user0_ where user0_.email=? limit ?
select u1_0.id,u1_0.name,o1_0.user_id,o1_0.id,o1_0.total from users u1_0 left join orders o1_0 on u1_0.id=o1_0.user_id where u1_0.id in (?,?,?)
insert into orders (created_at, status, user_id, id) values (?, ?, ?, ?)
insert into users (email,name) values (?,?)
update orders set status=?, version=? where id=? and version=?
delete from orders where id=? and version=?
select next_val as id_val from hibernate_sequence for update
update hibernate_sequence set next_val= ? where next_val=?
select count(o1_0.id) from orders o1_0 where (o1_0.status=? or o1_0.status is null) and o1_0.total>=?
select distinct u1_0.id,u1_0.name from users u1_0 join orders o1_0 on u1_0.id=o1_0.user_id where o1_0.total>? order by u1_0.name asc,u1_0.id desc limit ?,?
select o1_0.id from orders o1_0 where exists(select 1 from order_items i1_0 where i1_0.order_id=o1_0.id and i1_0.quantity>?) for update of o1_0 skip locked
select p1_0.id, case when p1_0.type=1 then 'card' when p1_0.type=2 then 'cash' end from payments p1_0 where p1_0.paid_at between ? and ?
select sum(o1_0.total),year(o1_0.created_at),month(o1_0.created_at) from orders o1_0 group by year(o1_0.created_at),month(o1_0.created_at) having sum(o1_0.total)>? order by 2,3
select u1_0.id from users u1_0 where lower(u1_0.name) like lower(concat('%',?,'%')) escape '\\'
select coalesce(max(u1_0.id),0)+1 from users u1_0
select cast(o1_0.total as decimal(19,2)) from orders o1_0 where o1_0.user_id=?
select e1_0.id, e1_0.manager_id, m1_0.id from employee e1_0 left outer join employee m1_0 on m1_0.id=e1_0.manager_id where e1_0.id=?
select o1_0.id from orders o1_0 where (o1_0.user_id,o1_0.status) in ((?,?),(?,?))
select row_number() over(partition by o1_0.user_id order by o1_0.created_at desc) rn,o1_0.id from orders o1_0
SELECT `auth_user`.`id`, `auth_user`.`password`, `auth_user`.`last_login`, `auth_user`.`is_superuser`, `auth_user`.`username` FROM `auth_user` WHERE `auth_user`.`username` = 'admin' LIMIT 21
SELECT (1) AS `a` FROM `auth_user` WHERE `auth_user`.`id` = 1 LIMIT 1
SELECT 1 AS `a` FROM `shop_order` WHERE (`shop_order`.`user_id` = 5 AND NOT (`shop_order`.`status` = 'void')) LIMIT 1
SELECT `django_session`.`session_key`, `django_session`.`session_data`, `django_session`.`expire_date` FROM `django_session` WHERE (`django_session`.`expire_date` > '2026-01-01 00:00:00' AND `django_session`.`session_key` = 'x')
INSERT INTO `shop_order` (`user_id`, `total`, `created`) VALUES (1, '10.50', '2026-01-01 10:00:00.000000')
INSERT INTO `shop_tag` (`name`) VALUES ('a'), ('b'), ('c') RETURNING `shop_tag`.`id`
INSERT IGNORE INTO `shop_tag` (`name`) VALUES ('a')
UPDATE `shop_order` SET `total` = (`shop_order`.`total` + 1), `status` = CASE WHEN (`shop_order`.`id` = 1) THEN 'x' ELSE NULL END WHERE `shop_order`.`id` IN (1, 2)
DELETE FROM `shop_order` WHERE `shop_order`.`id` IN (1, 2, 3)
SELECT COUNT(*) AS `__count` FROM (SELECT DISTINCT `shop_order`.`id` AS `col1` FROM `shop_order` INNER JOIN `shop_item` ON (`shop_order`.`id` = `shop_item`.`order_id`) WHERE `shop_item`.`sku` LIKE BINARY '%x%') subquery
SELECT `shop_order`.`id`, (SELECT U0.`name` FROM `shop_user` U0 WHERE U0.`id` = (`shop_order`.`user_id`) ORDER BY U0.`id` ASC LIMIT 1) AS `n` FROM `shop_order` ORDER BY `n` DESC
SELECT CAST(DATE_FORMAT(CONVERT_TZ(`shop_order`.`created`, 'UTC', 'Europe/Berlin'), '%Y-%m-01') AS DATE) AS `m`, SUM(`shop_order`.`total`) AS `t` FROM `shop_order` GROUP BY 1 ORDER BY `m` ASC
SELECT `shop_order`.`id` FROM `shop_order` WHERE `shop_order`.`created` BETWEEN '2026-01-01 00:00:00' AND '2026-12-31 23:59:59.999999' ORDER BY NULL
SELECT `a`.`id` FROM `a` WHERE REGEXP_LIKE(`a`.`name`, '^x', 'c') FOR UPDATE NOWAIT
SELECT `a`.`id` FROM `a` WHERE JSON_EXTRACT(`a`.`data`, '$."k"') = JSON_EXTRACT('1', '$')
SELECT VERSION(), @@sql_mode, @@default_storage_engine, @@sql_auto_is_null, @@lower_case_table_names, CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL
SAVEPOINT `s140_x1`
RELEASE SAVEPOINT `s140_x1`
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET SQL_AUTO_IS_NULL = 0
SHOW FULL TABLES
SELECT table_name, table_type, table_comment FROM information_schema.tables WHERE table_schema = DATABASE()
SELECT users.id AS users_id, users.name AS users_name FROM users WHERE users.id = ?
SELECT anon_1.users_id AS anon_1_users_id, addresses_1.id AS addresses_1_id FROM (SELECT users.id AS users_id FROM users LIMIT 10) AS anon_1 LEFT OUTER JOIN addresses AS addresses_1 ON anon_1.users_id = addresses_1.user_id ORDER BY addresses_1.id
SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1
SELECT CAST('test collated returns' AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin AS anon_1
SHOW VARIABLES LIKE 'sql_mode'
SELECT DATABASE()
SELECT @@transaction_isolation
DESCRIBE `shop`.`users`
INSERT INTO users (name) SELECT u.name FROM old_users AS u WHERE u.id > 5 ON DUPLICATE KEY UPDATE name = VALUES(name)
INSERT INTO t (id, data) VALUES (1, 'x') AS new ON DUPLICATE KEY UPDATE data = new.data
WITH RECURSIVE tree(id, parent_id, depth) AS (SELECT id, parent_id, 0 FROM node WHERE parent_id IS NULL UNION ALL SELECT n.id, n.parent_id, tree.depth + 1 FROM node AS n JOIN tree ON n.parent_id = tree.id) SELECT tree.id FROM tree WHERE tree.depth < 5
UPDATE users, addresses SET users.name='x', addresses.email=concat(users.name, '@x') WHERE users.id = addresses.user_id
DELETE FROM users USING users, addresses WHERE users.id = addresses.user_id
SELECT count(*) AS count_1 FROM users WHERE users.name IN (NULL) AND (1 != 1)
SELECT users.id FROM users WHERE users.data -> '$.a' = 1 AND users.data ->> '$.b' IS NOT NULL
SELECT MATCH (users.name) AGAINST ('x' IN BOOLEAN MODE) AS score FROM users HAVING score > 0
SELECT group_concat(users.name ORDER BY users.name DESC SEPARATOR ', ') AS names FROM users
SELECT users.id FROM users WHERE users.name <=> NULL
ROLLBACK TO SAVEPOINT sa_savepoint_1
SELECT option_name, option_value FROM wp_options WHERE autoload = 'yes'
SELECT option_value FROM wp_options WHERE option_name = 'siteurl' LIMIT 1
SELECT SQL_CALC_FOUND_ROWS wp_posts.ID FROM wp_posts WHERE 1=1 AND wp_posts.post_type = 'post' AND ((wp_posts.post_status = 'publish')) ORDER BY wp_posts.post_date DESC LIMIT 0, 10
SELECT FOUND_ROWS()
SELECT wp_posts.* FROM wp_posts LEFT JOIN wp_term_relationships ON (wp_posts.ID = wp_term_relationships.object_id) INNER JOIN wp_postmeta AS mt1 ON ( wp_posts.ID = mt1.post_id ) WHERE 1=1 AND ( wp_term_relationships.term_taxonomy_id IN (3,4) ) AND ( ( mt1.meta_key = 'color' AND CAST(mt1.meta_value AS SIGNED) >= '3' ) ) GROUP BY wp_posts.ID ORDER BY wp_posts.menu_order, wp_posts.post_date DESC
SELECT t.*, tt.* FROM wp_terms AS t INNER JOIN wp_term_taxonomy AS tt ON t.term_id = tt.term_id WHERE tt.taxonomy IN ('category') ORDER BY t.name ASC
INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('_transient_x', 'a:1:{i:0;s:1:\"x\";}', 'no') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`)
UPDATE `wp_posts` SET `post_title` = 'It\'s', `post_content` = 'a''b' WHERE `ID` = 5
DELETE a, b FROM wp_options a, wp_options b WHERE a.option_name LIKE '\\_transient\\_%' AND a.option_name NOT LIKE '\\_transient\\_timeout\\_%' AND b.option_name = CONCAT( '_transient_timeout_', SUBSTRING( a.option_name, 12 ) ) AND b.option_value < 1700000000
SELECT YEAR(post_date) AS `year`, MONTH(post_date) AS `month`, count(ID) as posts FROM wp_posts WHERE post_type = 'post' GROUP BY YEAR(post_date), MONTH(post_date) ORDER BY post_date DESC
SELECT comment_approved, COUNT( * ) AS total FROM wp_comments GROUP BY comment_approved WITH ROLLUP
SELECT post_id, meta_key, meta_value FROM wp_postmeta WHERE post_id IN (1,2,3) ORDER BY meta_id ASC
SHOW FULL COLUMNS FROM `wp_options`
SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'
SELECT @@SESSION.sql_mode
DESCRIBE wp_users;
SHOW TABLES LIKE 'wp\\_%'
SELECT DISTINCT meta_key FROM wp_postmeta WHERE meta_key NOT BETWEEN '_' AND '_z' HAVING meta_key NOT LIKE '\\_%' ORDER BY meta_key LIMIT 30
SELECT p.ID FROM wp_posts AS p WHERE p.post_date < '2026-01-01' AND p.post_type = 'post' AND ( p.post_status = 'publish' OR p.post_status = 'private' ) ORDER BY p.post_date DESC LIMIT 1
INSERT INTO wp_term_relationships (object_id, term_taxonomy_id, term_order) VALUES (1, 2, 0),(1, 3, 0) ON DUPLICATE KEY UPDATE term_order = VALUES(term_order)
SELECT c FROM sbtest1 WHERE id=?
SELECT c FROM sbtest1 WHERE id BETWEEN ? AND ?
SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN 10 AND 20
SELECT c FROM sbtest1 WHERE id BETWEEN 1 AND 100 ORDER BY c
SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 1 AND 100 ORDER BY c
UPDATE sbtest1 SET k=k+1 WHERE id=?
UPDATE sbtest1 SET c='abc-def' WHERE id=5
DELETE FROM sbtest1 WHERE id=?
INSERT INTO sbtest1 (id, k, c, pad) VALUES (?, ?, ?, ?)
REPLACE INTO sbtest1(k, c, pad) VALUES(1, 'a', 'b'),(2, 'c', 'd')
CREATE TABLE sbtest1(id INTEGER NOT NULL AUTO_INCREMENT, k INTEGER DEFAULT '0' NOT NULL, c CHAR(120) DEFAULT '' NOT NULL, pad CHAR(60) DEFAULT '' NOT NULL, PRIMARY KEY (id)) /*! ENGINE = innodb */
CREATE INDEX k_1 ON sbtest1(k)
SELECT c_discount, c_last, c_credit, w_tax FROM customer1, warehouse1 WHERE w_id = 1 AND c_w_id = w_id AND c_d_id = 2 AND c_id = 3
SELECT d_next_o_id, d_tax FROM district1 WHERE d_w_id = 1 AND d_id = 2 FOR UPDATE
SELECT s_quantity, s_data, s_dist_01 s_dist FROM stock1 WHERE s_i_id = 1 AND s_w_id= 2 FOR UPDATE
SELECT COUNT(DISTINCT (s_i_id)) FROM order_line1, stock1 WHERE ol_w_id = 1 AND ol_d_id = 2 AND ol_o_id < 3001 AND ol_o_id >= 2981 AND s_w_id= 1 AND s_i_id=ol_i_id AND s_quantity < 15
UPDATE warehouse1 SET w_ytd = w_ytd + 100.5 WHERE w_id = 1
SELECT COUNT(c_id) namecnt FROM customer1 WHERE c_w_id = 1 AND c_d_id= 1 AND c_last='BARBARBAR'
SELECT `users`.* FROM `users` WHERE `users`.`id` = 1 LIMIT 1
SELECT 1 AS one FROM `users` WHERE `users`.`email` = BINARY 'a@b.c' LIMIT 1
SELECT COUNT(*) FROM `users` INNER JOIN `posts` ON `posts`.`user_id` = `users`.`id` WHERE `users`.`deleted_at` IS NULL AND (`posts`.`title` LIKE '%x%')
INSERT INTO `users` (`name`, `created_at`, `updated_at`) VALUES ('x', '2026-01-01 00:00:00.123456', '2026-01-01 00:00:00.123456')
SELECT `posts`.* FROM `posts` WHERE `posts`.`user_id` IN (1, 2, 3) ORDER BY `posts`.`id` ASC LIMIT 1000
UPDATE `users` SET `users`.`posts_count` = COALESCE(`users`.`posts_count`, 0) + 1 WHERE `users`.`id` = 1
SELECT column_name FROM information_schema.statistics WHERE index_name = 'PRIMARY' AND table_schema = database() AND table_name = 'users' ORDER BY seq_in_index
SELECT GET_LOCK('x', 0)
SET @@SESSION.sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'), @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483
select * from `users` where `email` = ? and `users`.`deleted_at` is null limit 1
select exists(select * from `users` where `id` = ?) as `exists`
select count(*) as aggregate from `users` where `created_at` >= ? and (`a` = ? or `b` in (?, ?))
insert into `jobs` (`queue`, `payload`) values (?, ?)
select * from `jobs` where `queue` = ? and ((`reserved_at` is null and `available_at` <= ?) or (`reserved_at` <= ?)) order by `id` asc limit 1 FOR UPDATE SKIP LOCKED
update `users` set `remember_token` = ?, `users`.`updated_at` = ? where `id` = ?
select *, (select count(*) from `posts` where `users`.`id` = `posts`.`user_id`) as `posts_count` from `users`
select * from `a` where json_unquote(json_extract(`meta`, '$."x"')) = ?
select `id` from `users` order by field(id, 3, 1, 2), rand()
SET NAMES utf8mb4
set autocommit=0, sql_mode='STRICT_TRANS_TABLES'
/* ApplicationName=DBeaver 24.1 - Main */ SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ
/* mysql-connector-j-8.4.0 (Revision: x) */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@max_allowed_packet AS max_allowed_packet, @@wait_timeout AS wait_timeout
SET character_set_results = NULL
SET autocommit=1
SELECT @@session.transaction_read_only
SHOW WARNINGS
select @@version_comment limit 1
SELECT USER(), CURRENT_USER, CONNECTION_ID()
SELECT LAST_INSERT_ID()
SELECT @@tx_isolation, @@session.tx_read_only
SELECT SLEEP(0.1), NOW(6), UTC_TIMESTAMP(3), UNIX_TIMESTAMP()
SELECT * FROM `users` AS `User` LEFT OUTER JOIN `posts` AS `Posts` ON `User`.`id` = `Posts`.`userId` AND (`Posts`.`deletedAt` IS NULL) WHERE `User`.`id` = '1'
INSERT INTO `users` (`id`,`name`) VALUES (DEFAULT,?)
SELECT count(`User`.`id`) AS `count` FROM `users` AS `User` WHERE (`User`.`a` = true AND `User`.`b` != false)
SELECT `main`.`User`.`id`, `main`.`User`.`email` FROM `main`.`User` WHERE (`main`.`User`.`id` = ? AND 1=1) LIMIT ? OFFSET ?
SELECT * FROM `users` WHERE `users`.`deleted_at` IS NULL ORDER BY `users`.`id` LIMIT 1
INSERT INTO `products` (`code`,`price`) VALUES ('D42',100) ON DUPLICATE KEY UPDATE `price`=VALUES(`price`),`updated_at`=NOW()
SELECT user_id, total, SUM(total) OVER w AS running, RANK() OVER (PARTITION BY user_id ORDER BY total DESC) AS `rank` FROM orders WINDOW w AS (PARTITION BY user_id ORDER BY created_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
SELECT a, LAG(b, 1, 0) OVER (ORDER BY a) AS prev, LEAD(b) OVER (ORDER BY a RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW) FROM t
SELECT NTH_VALUE(a, 2) FROM FIRST RESPECT NULLS OVER (ORDER BY b) FROM t
SELECT PERCENT_RANK() OVER (), CUME_DIST() OVER (), NTILE(4) OVER (ORDER BY x) FROM t
SELECT a FROM t1 UNION SELECT a FROM t2 UNION ALL (SELECT a FROM t3 ORDER BY a LIMIT 1) ORDER BY a LIMIT 10
SELECT a FROM t1 INTERSECT SELECT a FROM t2 EXCEPT SELECT a FROM t3
VALUES ROW(1, 'a'), ROW(2, 'b') ORDER BY column_0 DESC LIMIT 1
TABLE t ORDER BY a LIMIT 5 OFFSET 2
SELECT * FROM (VALUES ROW(1, 2)) AS v(a, b)
SELECT * FROM t1, LATERAL (SELECT MAX(b) AS m FROM t2 WHERE t2.a = t1.a) AS l
SELECT jt.* FROM t, JSON_TABLE(t.doc, '$[*]' COLUMNS (id FOR ORDINALITY, name VARCHAR(10) PATH '$.n' DEFAULT '"x"' ON EMPTY, NESTED PATH '$.k[*]' COLUMNS (k INT PATH '$'))) AS jt
SELECT * FROM t1 NATURAL JOIN t2 NATURAL LEFT JOIN t3
SELECT STRAIGHT_JOIN t1.a FROM t1 STRAIGHT_JOIN t2 ON t1.a = t2.a
SELECT * FROM t1 JOIN (t2 LEFT JOIN t3 USING (a)) ON t1.a = t2.a
SELECT * FROM t USE INDEX (i1) IGNORE INDEX FOR ORDER BY (i2) WHERE a > 1
SELECT /*+ MAX_EXECUTION_TIME(1000) INDEX(t i1) */ a FROM t
SELECT a, b FROM t PARTITION (p0, p1) AS x WHERE x.a = 1
SELECT IF(a > 1, 'x', 'y'), IFNULL(b, 0), NULLIF(a, b), COALESCE(a, b, c) FROM t
SELECT DATE_ADD(a, INTERVAL 1 DAY), a - INTERVAL '1 2' DAY_HOUR, ADDDATE(a, 31), TIMESTAMPADD(MINUTE, 5, a) FROM t
SELECT 1 << 2 | 3 & 4 ^ 5, ~6, !7, -8, +9, 10 DIV 3, 10 MOD 3, 10 % 3
SELECT 0x41, X'4D', 0b101, b'1', 1.5e3, .5, 5., 1e-10, _binary'x', N'y', 'a' 'b'
SELECT 'a' LIKE 'b' ESCAPE '!', 'a' REGEXP '^a', 'a' RLIKE 'b', 'a' SOUNDS LIKE 'b', 'a' COLLATE utf8mb4_bin = 'A'
SELECT a XOR b, a && b, a || b, NOT a, a IS TRUE, b IS NOT UNKNOWN FROM t
SELECT * FROM t WHERE (a, b) = (1, 2) AND (c, d) IN (SELECT e, f FROM u)
SELECT * FROM t WHERE a > ALL (SELECT b FROM u) AND c = ANY (SELECT d FROM v) AND e <> SOME (SELECT f FROM w)
SELECT @a := @a + 1 AS n, t.* FROM t, (SELECT @a := 0) AS init
SELECT a INTO @x FROM t WHERE id = 1
SELECT a, b FROM t INTO OUTFILE '/tmp/x.csv' FIELDS TERMINATED BY ',' ENCLOSED BY '"' LINES TERMINATED BY '\n'
SELECT TRIM(LEADING '0' FROM a), SUBSTRING(b, 2, 3), POSITION('x' IN c), CHAR(77 USING utf8mb4), CONVERT(d USING latin1) FROM t
SELECT COUNT(DISTINCT a, b), GROUP_CONCAT(DISTINCT a ORDER BY b SEPARATOR '|'), JSON_ARRAYAGG(c), BIT_AND(d), STDDEV_SAMP(e), ANY_VALUE(f) FROM t
SELECT a, GROUPING(a), SUM(b) FROM t GROUP BY a WITH ROLLUP HAVING GROUPING(a) = 0
SELECT `weird name`, `a``b`, t.`select`, t.order FROM `my table` t
SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM t)
SELECT CURRENT_DATE, CURRENT_TIME(3), LOCALTIME, LOCALTIMESTAMP(6), UTC_DATE, CURRENT_USER()
SELECT CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END, CASE WHEN a IS NULL THEN 0 END FROM t
SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND b NOT BETWEEN 3 AND 4 AND c NOT IN (5, 6) AND d NOT LIKE 'x' AND e NOT REGEXP 'y'
SELECT * FROM t WHERE created_at >= NOW() - INTERVAL 1 HOUR ORDER BY FIELD(status, 'a', 'b') DESC, id
SELECT * FROM t FOR SHARE
SELECT * FROM t LOCK IN SHARE MODE
SELECT * FROM a JOIN b ON a.id = b.a_id FOR UPDATE OF a NOWAIT FOR SHARE OF b
SELECT a.*, b.c FROM shop.a AS a CROSS JOIN shop.b b
SELECT id, name FROM users WHERE name = 'O''Brien' AND note = "say \"hi\"" -- trailing
SELECT a /* inline */ , b # hash
(SELECT 1)
((SELECT a FROM t LIMIT 1) UNION ALL (SELECT b FROM u LIMIT 1)) ORDER BY 1 LIMIT 1
SELECT (SELECT (SELECT 1)), ((1 + 2) * 3), (1, 2) = (1, 2)
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT * FROM a UNION SELECT * FROM b
SELECT NULL, TRUE, FALSE, DEFAULT(a) FROM t
SELECT 5 MEMBER OF ('[1,5]'), JSON_VALUE(d, '$.x' RETURNING UNSIGNED), CAST('[1]' AS JSON), CAST(a AS UNSIGNED), CAST(b AS DATETIME(6)) FROM t
INSERT INTO t VALUES (1, 'a', NULL, DEFAULT, NOW(), x'41', -1.5)
INSERT INTO t () VALUES ()
INSERT INTO t SET a = 1, b = DEFAULT, c = c + 1
INSERT INTO t (a, b) SELECT a, COUNT(*) FROM u GROUP BY a ON DUPLICATE KEY UPDATE b = t.b + VALUES(b)
INSERT HIGH_PRIORITY INTO shop.t PARTITION (p0) (a) VALUES ROW(1), ROW(2)
INSERT INTO t WITH c AS (SELECT 1 AS a) SELECT a FROM c
REPLACE INTO t TABLE u
REPLACE DELAYED t SET a = 1
UPDATE t SET a = a + 1, b = (SELECT MAX(c) FROM u WHERE u.id = t.id) WHERE id = 5 ORDER BY id LIMIT 1
UPDATE t AS x JOIN u ON x.id = u.id LEFT JOIN v USING (id) SET x.a = u.b, u.c = NULL WHERE v.id IS NULL
UPDATE IGNORE shop.t SET a = DEFAULT WHERE b IN (1, 2) OR c LIKE 'x%'
WITH c AS (SELECT id FROM u) UPDATE t JOIN c ON t.id = c.id SET t.a = 1
DELETE FROM t WHERE a = 1 ORDER BY b DESC LIMIT 10
DELETE LOW_PRIORITY QUICK IGNORE FROM shop.t WHERE a < NOW() - INTERVAL 30 DAY
DELETE t1, t2 FROM t1 INNER JOIN t2 INNER JOIN t3 WHERE t1.id = t2.id AND t2.id = t3.id
DELETE FROM t1.*, t2.* USING t1 INNER JOIN t2 ON t1.id = t2.id
WITH c AS (SELECT id FROM u) DELETE FROM t WHERE id IN (SELECT id FROM c)
BEGIN
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY
COMMIT AND NO CHAIN
ROLLBACK
XA START 'a','b',1
XA RECOVER
SET @x = 1, @@session.sql_mode = DEFAULT, GLOBAL max_connections = 100
SET NAMES utf8mb4 COLLATE utf8mb4_general_ci
SHOW CREATE TABLE `shop`.`t`
SHOW INDEX FROM t FROM shop
SHOW GLOBAL STATUS LIKE 'Threads%'
SHOW TABLE STATUS LIKE 't'
SHOW COLLATION
SHOW PROCESSLIST
USE shop
KILL QUERY 7
EXPLAIN FORMAT=JSON SELECT * FROM t WHERE a = 1
EXPLAIN ANALYZE SELECT 1
PREPARE s FROM 'SELECT ?'
EXECUTE s USING @a
DEALLOCATE PREPARE s
CREATE TABLE IF NOT EXISTS t (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'x', PRIMARY KEY (id), UNIQUE KEY ua (a(10)), CONSTRAINT f FOREIGN KEY (a) REFERENCES u (a)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
ALTER TABLE t ADD COLUMN b INT NOT NULL DEFAULT 0 AFTER a, ADD INDEX ib (b), ALGORITHM=INPLACE, LOCK=NONE
DROP TABLE IF EXISTS t, u
TRUNCATE TABLE t
RENAME TABLE t TO u
CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE b = 1 WITH CHECK OPTION
CREATE TEMPORARY TABLE tmp SELECT * FROM t
LOCK TABLES t WRITE, u READ
UNLOCK TABLES
CALL p(1, @x)
LOAD DATA LOCAL INFILE 'x.csv' INTO TABLE t FIELDS TERMINATED BY ','
ANALYZE TABLE t
OPTIMIZE TABLE t
CHECKSUM TABLE t
FLUSH PRIVILEGES
GRANT ALL ON *.* TO 'u'@'%'
HANDLER t READ FIRST
DO RELEASE_LOCK('x')
