/* C's libmariadb: metadata, text and binary rows, parameters, long data, cursors, several results, errors, reset. */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MYSQL *login(void) {
    MYSQL *connection = mysql_init(NULL);
    my_bool check = 0;
    mysql_optionsv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &check);
    mysql_optionsv(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(connection, getenv("HOST"), getenv("USER"), getenv("PASSWORD"), "shop", (unsigned) atoi(getenv("PORT")), NULL,
                            CLIENT_MULTI_STATEMENTS)) {
        printf("login %s\n", mysql_error(connection));
        exit(1);
    }
    return connection;
}

static void error(const char *name, MYSQL *connection) {
    printf("%s %u %s %s\n", name, mysql_errno(connection), mysql_sqlstate(connection), mysql_error(connection));
}

static void fields(MYSQL_RES *result) {
    MYSQL_FIELD *field;
    while ((field = mysql_fetch_field(result))) {
        printf("field %s %s %s %s %s type %d length %lu flags %u decimals %u charset %u\n", field->db, field->table, field->org_table, field->name,
               field->org_name, field->type, field->length, field->flags, field->decimals, field->charsetnr);
    }
}

static void text(MYSQL *connection, const char *sql) {
    if (mysql_query(connection, sql)) {
        error(sql, connection);
        return;
    }
    do {
        MYSQL_RES *result = mysql_use_result(connection);
        if (!result) {
            printf("%s: %llu rows, %u warnings, %s\n", sql, mysql_affected_rows(connection), mysql_warning_count(connection),
                   mysql_info(connection) ? mysql_info(connection) : "-");
            continue;
        }
        fields(result);
        MYSQL_ROW row;
        while ((row = mysql_fetch_row(result))) {
            unsigned long *lengths = mysql_fetch_lengths(result);
            for (unsigned at = 0; at < mysql_num_fields(result); at++) printf("%lu:%.100s|", lengths[at], row[at] ? row[at] : "NULL");
            printf("\n");
        }
        mysql_free_result(result);
    } while (mysql_next_result(connection) == 0);
}

static void prepared(MYSQL *connection, unsigned long cursor) {
    enum { SIZE = 30000, COLUMNS = 24 };
    static char buffers[COLUMNS][SIZE];
    MYSQL_STMT *statement = mysql_stmt_init(connection);
    const char *sql = "SELECT * FROM kinds WHERE id >= ? ORDER BY id";
    mysql_stmt_prepare(statement, sql, strlen(sql));
    mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &cursor);
    unsigned long rows = 2;
    mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &rows);
    printf("parameters %lu columns %u\n", mysql_stmt_param_count(statement), mysql_stmt_field_count(statement));
    MYSQL_RES *meta = mysql_stmt_result_metadata(statement);
    fields(meta);
    mysql_free_result(meta);
    long long id = 1;
    MYSQL_BIND parameter = {.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &id};
    mysql_stmt_bind_param(statement, &parameter);
    if (mysql_stmt_execute(statement)) printf("execute %s\n", mysql_stmt_error(statement));
    MYSQL_BIND binds[COLUMNS];
    unsigned long lengths[COLUMNS];
    my_bool nulls[COLUMNS];
    memset(binds, 0, sizeof binds);
    for (int at = 0; at < COLUMNS; at++) {
        binds[at] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING, .buffer = buffers[at], .buffer_length = SIZE, .length = &lengths[at], .is_null = &nulls[at]};
    }
    mysql_stmt_bind_result(statement, binds);
    while (mysql_stmt_fetch(statement) == 0) {
        for (int at = 0; at < COLUMNS; at++) printf("%lu:%.*s|", nulls[at] ? 0 : lengths[at], nulls[at] ? 4 : (int) (lengths[at] < 60 ? lengths[at] : 60), nulls[at] ? "NULL" : buffers[at]);
        printf("\n");
    }
    mysql_stmt_close(statement);
}

static void long_data(MYSQL *connection) {
    MYSQL_STMT *statement = mysql_stmt_init(connection);
    const char *sql = "INSERT INTO kinds (id, c_blob, c_varchar) VALUES (?, ?, ?)";
    mysql_stmt_prepare(statement, sql, strlen(sql));
    long long id = 90;
    my_bool null = 1;
    MYSQL_BIND binds[3] = {{.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &id}, {.buffer_type = MYSQL_TYPE_BLOB}, {.buffer_type = MYSQL_TYPE_STRING, .is_null = &null}};
    mysql_stmt_bind_param(statement, binds);
    for (; id < 93; id++) {
        mysql_stmt_send_long_data(statement, 1, "first ", 6);
        mysql_stmt_send_long_data(statement, 1, "second", 6);
        printf("execute %d %llu\n", mysql_stmt_execute(statement), mysql_stmt_affected_rows(statement));
    }
    id = 90;
    mysql_stmt_send_long_data(statement, 1, "dropped", 7);
    mysql_stmt_reset(statement);
    printf("again %d %u %s\n", mysql_stmt_execute(statement), mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement));
    mysql_stmt_close(statement);
    text(connection, "SELECT id, c_blob FROM kinds WHERE id BETWEEN 90 AND 99 ORDER BY id");
    text(connection, "DELETE FROM kinds WHERE id BETWEEN 90 AND 99");
}

int main(void) {
    MYSQL *connection = login();
    text(connection, "SELECT * FROM kinds ORDER BY id");
    prepared(connection, CURSOR_TYPE_NO_CURSOR);
    prepared(connection, CURSOR_TYPE_READ_ONLY);
    long_data(connection);
    text(connection, "SELECT country, COUNT(*) n, AVG(balance) FROM people GROUP BY country ORDER BY country; UPDATE people SET balance = 1 WHERE id < 9; SELECT 'it''s'");
    text(connection, "SELEC 1");
    text(connection, "SELECT * FROM nowhere");
    text(connection, "INSERT INTO people (id, name) VALUES (1, 'x')");
    text(connection, "SET @a = 5");
    mysql_reset_connection(connection);
    text(connection, "SELECT @a");
    printf("select_db %d\n", mysql_select_db(connection, "nowhere"));
    error("select_db", connection);
    printf("change_user %d\n", mysql_change_user(connection, getenv("USER"), getenv("PASSWORD"), "shop"));
    MYSQL_RES *tables = mysql_list_tables(connection, "p%");
    if (!tables) error("tables", connection);
    else printf("tables %llu\n", mysql_num_rows(tables));
    mysql_free_result(tables);
    MYSQL *other = login();
    char kill[64];
    snprintf(kill, sizeof kill, "KILL %lu", mysql_thread_id(connection));
    printf("kill %d\n", mysql_query(other, kill));
    printf("killed %d\n", mysql_query(connection, "SELECT 1") != 0);
    mysql_close(connection);
    mysql_close(other);
    return 0;
}
