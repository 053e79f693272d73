-- tables: t_hash t_modulo t_range t_list t_time t_both t_text
-- Constant expressions beside keys: they say where rows are.
-- include table
SELECT id, code FROM {t} WHERE id = 2 + 2;
SELECT id, code FROM {t} WHERE id = ABS(-4) AND grp = 1 + 2;
SELECT id, code FROM {t} WHERE id = 7 / 2;
SELECT id, code FROM {t} WHERE id = 8 / 2;
SELECT id, code FROM {t} WHERE id = 4e0 + 0;
SELECT id, code FROM {t} WHERE id = CONCAT('4', '');
SELECT id, code FROM {t} WHERE id = CONCAT('4', 'x');
SELECT id, code FROM {t} WHERE id = NULLIF(1, 1);
SELECT id, code FROM {t} WHERE id <=> NULLIF(1, 1);
SELECT id, code FROM {t} WHERE id <=> 2 * 2;
SELECT id, code FROM {t} WHERE id IN (2 + 2, 5, GREATEST(6, 7));
SELECT id, code FROM {t} WHERE id BETWEEN 2 + 2 AND 3 + 3;
SELECT id, code FROM {t} WHERE NOT id > 1 + 1;
SELECT id, code FROM {t} WHERE id > 9 + 8 OR id = 1 * 1;
SELECT id, code FROM {t} WHERE grp = 1 + 1 AND id > 10 - 5;
SELECT id, code FROM {t} WHERE code = CONCAT('fo', 'ur');
SELECT id, code FROM {t} WHERE code = UPPER('four');
SELECT id, code FROM {t} WHERE code > CONCAT('s', 'i');
-- ignore warnings
SELECT id, code FROM {t} WHERE code = 1 - 1 AND id < 3;
SET @four = 4, @text = 'four', @half = 4.5, @date = '{day}', @double = 4e0, @null = NULL;
SELECT id, code FROM {t} WHERE id = @four;
SELECT id, code FROM {t} WHERE id = @four + 1;
SELECT id, code FROM {t} WHERE id > @half AND id < @four + 3;
SELECT id, code FROM {t} WHERE id = @double;
SELECT id, code FROM {t} WHERE id = @null;
SELECT id, code FROM {t} WHERE code = @text COLLATE {ai_ci};
SELECT id, code FROM {t} WHERE day = @date;
SELECT id, code FROM {t} WHERE id = @never_set;
SELECT id, code FROM {t} WHERE day = '{day}' + INTERVAL 1 DAY;
SELECT id, code FROM {t} WHERE day >= DATE '{day}' + INTERVAL 1 DAY;
SELECT id, code FROM {t} WHERE day = DATE_SUB('{day}', INTERVAL 2 DAY);
SELECT id, code FROM {t} WHERE day < CAST('{day}' AS DATE) - INTERVAL 1 DAY;
SELECT id, code FROM {t} WHERE day >= CURDATE();
SELECT id, code FROM {t} WHERE day = CURDATE() - INTERVAL 1 DAY;
SELECT id, code FROM {t} WHERE day > NOW();
SELECT id, code FROM {t} WHERE day <= NOW() - INTERVAL 24 HOUR;
SELECT id, code FROM {t} WHERE day BETWEEN CURDATE() - INTERVAL 1 DAY AND CURDATE() + INTERVAL 1 DAY;
SELECT id, code FROM {t} WHERE id < UNIX_TIMESTAMP() AND id > UNIX_TIMESTAMP() - UNIX_TIMESTAMP() + 18;
SET timestamp = 1000000000;
SELECT id, code FROM {t} WHERE day > NOW();
SET timestamp = DEFAULT;
SELECT id, code, NOW() > '2020-01-01' FROM {t} WHERE day < CURDATE() - INTERVAL 1 DAY;
BEGIN;
SELECT id, code FROM {t} WHERE id = 4 AND grp = 3 AND day = CURDATE() + INTERVAL 0 DAY AND code = 'four';
SELECT id, code FROM {t} WHERE id = 4 AND grp = 3 AND day = '{day}' AND code = 'four';
COMMIT;
UPDATE {t} SET c_int = 1 WHERE id = 2 + 2;
UPDATE {t} SET c_int = 2 WHERE day < CURDATE() - INTERVAL 2 DAY;
SELECT id, c_int FROM {t} WHERE c_int IN (1, 2);
DELETE FROM {t} WHERE day >= CURDATE() + INTERVAL 1 DAY AND id > 5 + 5;
SELECT id FROM {t};
-- error 1054
SELECT id FROM {t} WHERE id = nothing + 1;
-- error 1305
SELECT id FROM {t} WHERE id = no_such_function(1);
-- error 1582
SELECT id FROM {t} WHERE id = ABS();
