// Java's JDBC, through whichever driver the URL in URL names: types, prepared statements on both sides, batches,
// cursors, metadata, transactions, errors, a lost connection.
import java.math.BigDecimal;
import java.sql.*;
import java.util.Properties;

public class Jdbc {
    static final String URL = System.getenv("URL");

    static Connection connect(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("USER"));
        properties.setProperty("password", System.getenv("PASSWORD"));
        for (String option : options) {
            String[] parts = option.split("=", 2);
            properties.setProperty(parts[0], parts[1]);
        }
        return DriverManager.getConnection(URL, properties);
    }

    static void say(String name, Object value) {
        System.out.println(name + " " + value);
    }

    static void rows(String name, ResultSet result) throws SQLException {
        ResultSetMetaData meta = result.getMetaData();
        StringBuilder line = new StringBuilder();
        for (int i = 1; i <= meta.getColumnCount(); i++) {
            line.append(meta.getColumnLabel(i)).append(':').append(meta.getColumnTypeName(i)).append(':').append(meta.getPrecision(i))
                .append(':').append(meta.getScale(i)).append(':').append(meta.isNullable(i)).append(':').append(meta.getTableName(i))
                .append(':').append(meta.getCatalogName(i)).append(' ');
        }
        say(name, line);
        while (result.next()) {
            line.setLength(0);
            for (int i = 1; i <= meta.getColumnCount(); i++) {
                Object value = result.getObject(i);
                if (value instanceof byte[] bytes) value = new java.math.BigInteger(1, bytes).toString(16);
                String text = String.valueOf(value);
                line.append(text.length() > 200 ? text.length() + "#" + text.hashCode() : text).append('|');
            }
            say(name, line);
        }
        result.close();
    }

    static void types(Connection connection, String way) throws SQLException {
        String columns = "id, c_tiny, c_small, c_medium, c_int, c_big, c_decimal, c_float, c_double, c_bit, c_date, c_datetime, c_timestamp, c_char,"
            + " c_varchar, c_binary, c_varbinary, c_text, c_blob, c_json, c_enum, c_set";
        try (Statement statement = connection.createStatement()) {
            rows(way + " text", statement.executeQuery("SELECT " + columns + " FROM kinds ORDER BY id"));
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT " + columns + " FROM kinds WHERE id >= ? ORDER BY id")) {
            statement.setLong(1, 1);
            rows(way + " prepared", statement.executeQuery());
        }
        String insert = "INSERT INTO kinds (id, c_tiny, c_big, c_decimal, c_double, c_date, c_datetime, c_varchar, c_blob, c_json) VALUES (?,?,?,?,?,?,?,?,?,?)";
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            for (int id = 20; id < 60; id++) {
                statement.setLong(1, id);
                statement.setByte(2, (byte) -id);
                statement.setBigDecimal(3, new BigDecimal("18446744073709551615"));
                statement.setBigDecimal(4, new BigDecimal("0.0000000001"));
                statement.setDouble(5, id / 3.0);
                statement.setDate(6, Date.valueOf("2026-02-03"));
                statement.setTimestamp(7, Timestamp.valueOf("2026-02-03 04:05:06.789"));
                statement.setString(8, "q'\\😀 " + id);
                statement.setBytes(9, new byte[] {0, 1, 39, -1});
                if (id % 2 == 0) statement.setNull(10, Types.VARCHAR); else statement.setString(10, "{\"k\": " + id + "}");
                statement.addBatch();
            }
            int sum = 0;
            for (int count : statement.executeBatch()) sum += count > 0 ? count : 1;
            say(way + " batch", sum);
        }
        try (Statement statement = connection.createStatement()) {
            rows(way + " inserted", statement.executeQuery("SELECT id, c_big, c_decimal, c_double, c_datetime, c_varchar, c_blob, c_json FROM kinds WHERE id BETWEEN 20 AND 23 ORDER BY id"));
            say(way + " delete", statement.executeUpdate("DELETE FROM kinds WHERE id >= 20"));
        }
    }

    static void statements(Connection connection, String way) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            rows(way + " groups", statement.executeQuery("SELECT country, COUNT(*) n, SUM(balance) s, AVG(balance) m FROM people GROUP BY country ORDER BY country"));
            rows(way + " join", statement.executeQuery("SELECT p.name, c.name, SUM(o.total) s FROM people p JOIN orders o ON o.person_id = p.id"
                + " JOIN countries c ON c.code = p.country WHERE p.id < 400 GROUP BY p.id, p.name, c.name ORDER BY s DESC, p.id LIMIT 4"));
            statement.setMaxRows(7);
            rows(way + " limited", statement.executeQuery("SELECT id FROM people ORDER BY name DESC"));
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT name FROM people WHERE id = ? AND country <> ?")) {
            for (int id = 1; id < 8; id++) {
                statement.setInt(1, id);
                statement.setString(2, "xx");
                rows(way + " again", statement.executeQuery());
            }
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT id, name FROM people ORDER BY id", ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            statement.setFetchSize(50);
            long sum = 0;
            ResultSet result = statement.executeQuery();
            while (result.next()) sum += result.getLong(1) * result.getString(2).length();
            say(way + " cursor", sum);
        }
        try (Statement statement = connection.createStatement()) {
            say(way + " generated", statement.executeUpdate("INSERT INTO people (name) VALUES ('a'), ('b'), ('c')", Statement.RETURN_GENERATED_KEYS));
            ResultSet keys = statement.getGeneratedKeys();
            for (long first = 0; keys.next(); ) {
                if (first == 0) first = keys.getLong(1);
                say(way + " key", keys.getLong(1) - first);
            }
            statement.executeUpdate("DELETE FROM people WHERE id > 2000");
        }
    }

    static void transactions(Connection connection) throws SQLException {
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE people SET balance = balance + 1 WHERE id <= 50");
            Savepoint here = connection.setSavepoint("here");
            say("delete", statement.executeUpdate("DELETE FROM people WHERE id <= 50"));
            connection.rollback(here);
            rows("inside", statement.executeQuery("SELECT SUM(balance), COUNT(*) FROM people WHERE id <= 50"));
            connection.rollback();
            rows("after", statement.executeQuery("SELECT SUM(balance), COUNT(*) FROM people WHERE id <= 50"));
            connection.commit();
        }
        connection.setAutoCommit(true);
        connection.setReadOnly(true);
        error("read only", connection, "UPDATE people SET balance = 0 WHERE id = 1");
        connection.setReadOnly(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        say("isolation", connection.getTransactionIsolation());
    }

    static void metadata(Connection connection) throws SQLException {
        DatabaseMetaData meta = connection.getMetaData();
        rows("tables", meta.getTables("shop", null, "%", new String[] {"TABLE"}));
        rows("columns", meta.getColumns("shop", null, "people", "%"));
        rows("keys", meta.getPrimaryKeys("shop", null, "people"));
        ResultSet index = meta.getIndexInfo("shop", null, "people", false, true);
        while (index.next()) say("index", index.getString("INDEX_NAME") + " " + index.getString("COLUMN_NAME") + " " + index.getBoolean("NON_UNIQUE"));
        say("catalog", connection.getCatalog());
        say("valid", connection.isValid(5));
    }

    static void error(String name, Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            say(name, "no error " + statement.execute(sql));
        } catch (SQLException e) {
            say(name, e.getClass().getSimpleName() + " " + e.getErrorCode() + " " + e.getSQLState() + " " + e.getMessage().replaceFirst("^\\(conn=\\d+\\) ", ""));
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (String way : new String[] {"useServerPrepStmts=false", "useServerPrepStmts=true", "rewriteBatchedStatements=true", "useCursorFetch=true"}) {
            try (Connection connection = connect(way)) {
                types(connection, way);
                statements(connection, way);
            }
        }
        Connection connection = connect("allowMultiQueries=true");
        transactions(connection);
        metadata(connection);
        error("syntax", connection, "SELEC 1");
        error("table", connection, "SELECT * FROM nowhere");
        error("duplicate", connection, "INSERT INTO people (id, name) VALUES (1, 'x')");
        error("null", connection, "INSERT INTO people (id, name) VALUES (9009, NULL)");
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT 1; SELECT COUNT(*) FROM people; DO 1");
            do {
                if (statement.getResultSet() != null) rows("several", statement.getResultSet());
            } while (statement.getMoreResults() || statement.getUpdateCount() >= 0);
            ResultSet big = statement.executeQuery("SELECT REPEAT('z', 17000000)");
            big.next();
            say("long value", big.getString(1).length());
            statement.setQueryTimeout(1);
            error("timeout", connection, "SELECT SLEEP(0)");
            try (Connection other = connect(); Statement kill = other.createStatement()) {
                ResultSet id = statement.executeQuery("SELECT CONNECTION_ID()");
                id.next();
                kill.execute("KILL " + id.getLong(1));
                try {
                    statement.executeQuery("SELECT 1");
                    say("killed", "no error");
                } catch (SQLException e) {
                    say("killed", "an error");
                }
                say("valid", connection.isValid(2));
            }
        }
    }
}
