# The command line clients mariadb and mysql: statements by pipe, tables, vertical output, batch mode, warnings, help for names.
install() {
    packages mariadb-client && mariadb --version | grep -o '[0-9.]*-MariaDB' | head -n 1 >"$WORK/version"
}

statements() {
    cat <<'END'
SELECT * FROM kinds ORDER BY id\G
SELECT country, COUNT(*) AS n, SUM(balance) FROM people GROUP BY country WITH ROLLUP;
DESCRIBE people;
SHOW TABLES LIKE 'p%';
SHOW CREATE TABLE people\G
SHOW FULL COLUMNS FROM orders;
SHOW KEYS FROM orders WHERE Key_name = 'PRIMARY' AND Seq_in_index > 1;
DELIMITER //
SELECT 1; SELECT 'two;' //
DELIMITER ;
BEGIN;
UPDATE people SET balance = 0 WHERE id % 7 = 0;
SELECT ROW_COUNT();
ROLLBACK;
SELECT COUNT(*) FROM people WHERE balance = 0;
SELECT 1 / 0, CAST('x' AS SIGNED);
SHOW WARNINGS;
PREPARE p FROM 'SELECT name FROM people WHERE id = ?'; SET @id = 77; EXECUTE p USING @id; DEALLOCATE PREPARE p;
USE test
SELECT DATABASE();
USE shop
SELEC 1;
SELECT * FROM nowhere;
INSERT INTO people (id, name) VALUES (1, 'x');
SELECT id, name FROM people ORDER BY name DESC LIMIT 3;
END
}

client_report() {
    local options
    for options in '' -t -vvv --batch --xml --column-type-info; do
        echo "options: $options"
        # Times differ from run to run, and so does what servers guess of an index.
        statements | client shop --force --show-warnings --default-character-set=utf8mb4 $options 2>"$WORK/errors" | sed -E 's/\([0-9.]+ sec\)//; s/AUTO_INCREMENT=[0-9]+ //'
        cat "$WORK/errors"
    done
}

run() {
    seed
    report client_report
}
