-- tables: t_single t_broadcast t_hash t_both t_list
-- User variables that statements assign, INTO, FOUND_ROWS().
-- include table

-- INTO, on one shard and on many.
SELECT 1 INTO @a;
SELECT @a;
-- text
SELECT ROW_COUNT();
SELECT id, code INTO @a, @b FROM {t} WHERE id = 4 AND grp = 3;
SELECT @a, @b, COLLATION(@b), CHARSET(@b);
-- ignore warnings
SELECT MAX(id), COUNT(*), MIN(c_time), SUM(c_money), MAX(c_bin) FROM {t} INTO @a, @b, @c, @d, @e;
-- ignore types prepare
SELECT @a, @b, @c, @d, @e, COLLATION(@e);
SELECT id, c_tiny, c_tinyu, c_big, c_bigu, c_dec, c_money, c_float, c_double INTO @a, @b, @c, @d, @e, @f, @g, @h, @i FROM {t} ORDER BY id LIMIT 1;
SELECT @a, @b, @c, @d, @e, @f, @g, @h, @i;
SELECT @e - 1, @h + 0, @f = 1;
SELECT c_bit, c_date, c_time, c_dt, c_year INTO @a, @b, @c, @d, @e FROM {t} ORDER BY id LIMIT 1;
-- ignore types prepare
SELECT @a, @b, @c, @d, @e;
SELECT COLLATION(@b), COLLATION(@c), COLLATION(@d);
SELECT c_char, c_ci, c_bin, c_latin, c_binary, c_varbinary, c_blob, c_text, c_enum, c_set INTO @a, @b, @c, @d, @e, @f, @g, @h, @i, @j FROM {t} ORDER BY id LIMIT 8, 1;
-- ignore types prepare
SELECT HEX(@a), HEX(@b), HEX(@c), HEX(@d), HEX(@e), HEX(@f), HEX(@g), HEX(@h), HEX(@i), HEX(@j);
SELECT COLLATION(@a), COLLATION(@b), COLLATION(@c), COLLATION(@d), COLLATION(@e), COLLATION(@f), COLLATION(@g), COLLATION(@h), COLLATION(@a) = COLLATION(@b);
SELECT id FROM {t} WHERE code = @a OR c_ci = @b ORDER BY id;
-- ignore warnings
SELECT id, code FROM {t} WHERE id = 3 INTO @a, @b;
SELECT @a, @b;
-- ignore warnings
SELECT c_int, c_text FROM {t} WHERE id = 3 INTO @a, @b;
SELECT @a IS NULL, @b IS NULL;
SET @a = 'before';
SELECT id INTO @a FROM {t} WHERE id = 1000;
SHOW WARNINGS;
SELECT @a;
SELECT id INTO @a FROM {t} WHERE c_int > 1000000000 AND id < 0;
SELECT @a;
-- error 1172
SELECT id INTO @z FROM {t};
-- error 1222
SELECT id, code INTO @a FROM {t} WHERE id = 4 AND grp = 3;
-- error 1222
SELECT id INTO @a, @b FROM {t} ORDER BY id LIMIT 1;
-- error 1054
SELECT nothing INTO @a FROM {t};
SELECT @a;
SELECT 1, 'x' INTO @`a b`, @'c d';
SELECT @`a b`, @'c d';
BEGIN;
SELECT id, code INTO @a, @b FROM {t} WHERE id = 5 AND grp = 4 FOR UPDATE;
SELECT @a, @b;
COMMIT;

-- Assignments inside of statements.
SET @n = 0;
SELECT @n := @n + 1;
SELECT @n;
SELECT id, @n := @n + 10 AS n FROM {t} WHERE id = 4 AND grp = 3;
SELECT @n;
SELECT @new := code FROM {t} WHERE id = 4 AND grp = 3;
SELECT @new, COLLATION(@new);
-- ignore prepare
SELECT @x := 1.50, @y := 2e0, @w := x'41', @u := CAST(7 AS UNSIGNED);
SELECT @x, @y, @w, @u;
SELECT @x + 1, @y / 3, CHARSET(@w);
-- error 1690
SELECT @u - 8;
-- except t_broadcast
UPDATE {t} SET c_int = (@old := c_int) + 1, c_tiny = 9 WHERE id = 6 AND grp = 0;
-- except t_broadcast
SELECT @old;
SELECT c_int FROM {t} WHERE id = 6;
BEGIN;
SELECT @n := 100;
SELECT @in := id FROM {t} WHERE id = 7 AND grp = 1;
-- error 1054
SELECT @n := nothing FROM {t} WHERE id = 7 AND grp = 1;
SELECT @n, @in;
ROLLBACK;
SELECT @n, @in;
-- text
SET @p = @q := 5;
SELECT @p, @q;
SET @a = (SELECT code FROM {t} WHERE id = 4 AND grp = 3), @b = CONCAT(@a, '!');
SELECT @a, @b;
SET @a = (SELECT COUNT(*) FROM {t} WHERE id = 4 AND grp = 3) + 1;
SELECT @a;
-- error 1242
SET @a = (SELECT id FROM {t} WHERE id IN (4, 5));
SELECT @a;

-- FOUND_ROWS().
SELECT id FROM {t} ORDER BY id LIMIT 3;
-- text
SELECT FOUND_ROWS();
SELECT SQL_CALC_FOUND_ROWS id FROM {t} ORDER BY id LIMIT 3;
-- text
SELECT FOUND_ROWS();
SELECT SQL_CALC_FOUND_ROWS id, code FROM {t} WHERE c_tiny > 1 ORDER BY id DESC LIMIT 2, 2;
-- text
SELECT FOUND_ROWS();
SELECT SQL_CALC_FOUND_ROWS id FROM {t} WHERE id = 4 AND grp = 3 LIMIT 0;
-- text
SELECT FOUND_ROWS(), FOUND_ROWS() AS again;
SELECT SQL_CALC_FOUND_ROWS grp, COUNT(*) FROM {t} GROUP BY grp ORDER BY grp LIMIT 2;
-- text
SELECT FOUND_ROWS() + 1;
SELECT SQL_CALC_FOUND_ROWS DISTINCT c_year FROM {t} ORDER BY c_year LIMIT 1;
-- text
SELECT FOUND_ROWS();
SELECT SQL_CALC_FOUND_ROWS COUNT(*) FROM {t} LIMIT 1;
-- text
SELECT FOUND_ROWS();
SHOW WARNINGS;
BEGIN;
SELECT SQL_CALC_FOUND_ROWS id FROM {t} ORDER BY id LIMIT 3;
COMMIT;
