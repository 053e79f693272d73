<?php
// PHP's PDO and mysqli over sharded tables: emulated and real prepared statements, transactions, big results, errors.

function say(string $name, mixed ...$values): void
{
    echo $name, ' ', preg_replace('/\s+/', ' ', var_export($values, true)), "\n";
}

function pdo(bool $emulate): void
{
    $pdo = new PDO('mysql:host=' . getenv('HOST') . ';port=' . getenv('PORT') . ';dbname=shop;charset=utf8mb4', getenv('USER'), getenv('PASSWORD'), [
        PDO::ATTR_EMULATE_PREPARES => $emulate, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC]);
    $kinds = $pdo->query('SELECT * FROM kinds ORDER BY id');
    for ($i = 0; $i < $kinds->columnCount(); $i++) {
        say('column', $kinds->getColumnMeta($i));
    }
    foreach ($kinds as $row) {
        say('kind', $row);
    }
    $one = $pdo->prepare('SELECT name, balance FROM people WHERE id = :id');
    foreach ([1, '2', 1999, -1] as $id) {
        $one->execute(['id' => $id]);
        say('one', $one->fetchAll());
    }
    $groups = $pdo->prepare('SELECT country, COUNT(*) AS n, SUM(balance) AS s FROM people WHERE id > ? GROUP BY country ORDER BY country');
    $groups->execute([10]);
    say('groups', $groups->fetchAll());
    $insert = $pdo->prepare('INSERT INTO people (name, country, born, balance) VALUES (?, ?, ?, ?)');
    $first = 0;
    foreach ([['a', 'de', '2000-01-01', 1.5], ["it's", null, null, null]] as $values) {
        $insert->execute($values);
        $first = $first ?: $pdo->lastInsertId();
        say('inserted', $insert->rowCount(), $pdo->lastInsertId() - $first);
    }
    say('deleted', $pdo->exec('DELETE FROM people WHERE id > 2000'));
    $pdo->beginTransaction();
    say('update', $pdo->exec('UPDATE people SET balance = 0'), $pdo->inTransaction());
    $pdo->rollBack();
    say('sum', $pdo->query('SELECT SUM(balance) AS s FROM people')->fetchColumn());
    $pdo->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
    $sum = 0;
    foreach ($pdo->query("SELECT a.id, REPEAT('x', 300) AS x FROM people a JOIN countries b ORDER BY a.id") as $row) {
        $sum += $row['id'] * strlen($row['x']);
    }
    say('unbuffered', $sum);
    $pdo->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, true);
    foreach (['SELEC 1', 'SELECT * FROM nowhere', "INSERT INTO people (id, name) VALUES (1, 'x')"] as $sql) {
        try {
            $pdo->prepare($sql)->execute();
        } catch (PDOException $e) {
            say('error', $e->errorInfo);
        }
    }
}

function mysqli_program(): void
{
    $link = new mysqli(getenv('HOST'), getenv('USER'), getenv('PASSWORD'), 'shop', (int) getenv('PORT'));
    $link->set_charset('utf8mb4');
    $statement = $link->prepare('SELECT * FROM kinds WHERE id >= ? ORDER BY id');
    $id = 1;
    $statement->bind_param('i', $id);
    $statement->execute();
    $result = $statement->get_result();
    foreach ($result->fetch_fields() as $field) {
        unset($field->max_length);
        say('field', (array) $field);
    }
    foreach ($result as $row) {
        say('kind', $row);
    }
    $link->multi_query('SELECT 1; SELECT COUNT(*) FROM people; UPDATE people SET balance = balance WHERE id < 10; SELECT 2');
    do {
        if ($result = $link->store_result()) {
            say('several', $result->fetch_all());
        }
    } while ($link->more_results() && $link->next_result());
    $long = $link->prepare('INSERT INTO kinds (id, c_blob) VALUES (99, ?)');
    $null = null;
    $long->bind_param('b', $null);
    foreach (['part one ', 'part two'] as $part) {
        $long->send_long_data(0, $part);
    }
    say('long data', $long->execute(), $link->query('SELECT c_blob FROM kinds WHERE id = 99')->fetch_row());
    say('delete', $link->query('DELETE FROM kinds WHERE id = 99'), $link->affected_rows, $link->info);
    say('info', $link->query('UPDATE people SET balance = 1 WHERE id < 5'), $link->info);
    say('change user', $link->change_user(getenv('USER'), getenv('PASSWORD'), 'test'), $link->query('SELECT DATABASE()')->fetch_row());
    $other = new mysqli(getenv('HOST'), getenv('USER'), getenv('PASSWORD'), 'shop', (int) getenv('PORT'));
    $other->query('KILL ' . $link->thread_id);
    try {
        $link->query('SELECT 1');
        say('killed', 'no error');
    } catch (mysqli_sql_exception) {
        say('killed', 'an error');
    }
}

pdo(true);
pdo(false);
mysqli_program();
