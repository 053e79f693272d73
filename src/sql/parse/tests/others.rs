//! Statements that are neither queries nor changes of rows.

use super::super::super::load::{LoadData, LoadTarget};
use super::super::super::statement::{
    Ddl, SetTarget, Show, ShowKind, Statement, StatementKind, TableLock, Transaction,
};
use super::{parsed, refusal, show};

/// One line about a statement.
fn describe(sql: &str) -> String {
    kind(sql, &parsed(sql))
}

fn kind(sql: &str, statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Query(_) => "query".into(),
        StatementKind::Insert(_) => "insert".into(),
        StatementKind::Update(_) => "update".into(),
        StatementKind::Delete(_) => "delete".into(),
        StatementKind::Ddl(ddl) => self::ddl(ddl),
        StatementKind::Transaction(transaction) => self::transaction(transaction),
        StatementKind::Set(list) => {
            let list = list.iter().map(|item| {
                let target = match &item.target {
                    SetTarget::User(name) => format!("@{name}"),
                    SetTarget::System { scope: Some(scope), name } => format!("{scope:?}.{name}"),
                    SetTarget::System { scope: None, name } => name.clone(),
                    SetTarget::Names => return sql[item.span.range()].to_owned(),
                };
                assert!(sql[item.span.range()].ends_with(&sql[item.value.span.range()]), "{sql}");
                format!("{target} = {}", show(&item.value))
            });
            list.collect::<Vec<_>>().join("; ")
        }
        StatementKind::SetNames { charset, collation, character_set } => {
            let default = || "DEFAULT".to_owned();
            let charset = charset.clone().unwrap_or_else(default);
            let collation = collation.clone().unwrap_or_else(default);
            let what = if *character_set { "character set" } else { "names" };
            format!("{what} {charset} {collation}")
        }
        StatementKind::SetTransaction { scope, isolation, read_only } => {
            format!("{scope:?} {isolation:?} {read_only:?}")
        }
        StatementKind::Use(name) => format!("use {}", name.value),
        StatementKind::Show(show) => show_line(sql, show),
        StatementKind::Describe { table } => format!("describe {}", &sql[table.span.range()]),
        StatementKind::Explain(explain) => {
            let mut line = String::from("explain ");
            if explain.margay {
                line += "margay ";
            }
            if explain.analyze {
                line += "analyze ";
            }
            let statement = kind(sql, &explain.statement);
            format!("{line}[{}] {statement}", &sql[explain.at as usize..])
        }
        StatementKind::Prepare { name, .. } => format!("prepare {}", name.value),
        StatementKind::Execute(execute) => format!("execute using {}", execute.using.len()),
        StatementKind::Deallocate(name) => format!("deallocate {}", name.value),
        StatementKind::Call(call) => {
            format!("call {}({})", &sql[call.procedure.span.range()], call.args.len())
        }
        StatementKind::LockTables(locks) => {
            let one = |lock: &TableLock| match &lock.alias {
                Some(alias) => format!("{} {alias} {}", lock.table.name.value, lock.kind),
                None => format!("{} {}", lock.table.name.value, lock.kind),
            };
            let tables: Vec<String> = locks.tables.iter().map(one).collect();
            format!("lock {}{}", tables.join(", "), locks.wait.as_deref().unwrap_or_default())
        }
        StatementKind::Handler(handler) => {
            format!("handler {} {:?}", handler.name.name.value, handler.action)
        }
        StatementKind::Do { values, .. } => format!("do {}", values.len()),
        StatementKind::Kill { query, id } => {
            format!("kill {id}{}", if *query { " query" } else { "" })
        }
        StatementKind::Load(load) => load_line(sql, load),
        StatementKind::Other(words) => format!("other {words}"),
        StatementKind::Empty => "empty".into(),
    }
}

fn load_line(sql: &str, load: &LoadData) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
    let format = &load.format;
    let parts =
        [&format.fields, &format.enclosed, &format.escaped, &format.starting, &format.lines];
    let parts: Vec<String> = parts.iter().map(|part| text(part)).collect();
    let targets: Vec<String> = load
        .targets
        .iter()
        .map(|target| match target {
            LoadTarget::Column(name) => name.value.clone(),
            LoadTarget::Variable(name) => format!("@{name}"),
        })
        .collect();
    let skipped = load.skip.map_or("", |skip| &sql[skip.span.range()]);
    let (before, behind) = sql.split_at(load.targets_at as usize);
    assert!(before.len() >= load.table_end as usize && !behind.starts_with('('));
    format!(
        "load {} into {} replace={} {:?} [{}] {skipped} ({}) set {}",
        text(&load.file),
        load.table.name.value,
        load.replace,
        load.charset,
        parts.join(" "),
        targets.join(" "),
        load.assignments.len()
    )
}

fn ddl(ddl: &Ddl) -> String {
    let tables: Vec<_> = ddl
        .tables
        .iter()
        .map(|table| match &table.schema {
            Some(schema) => format!("{}.{}", schema.value, table.name.value),
            None => table.name.value.clone(),
        })
        .collect();
    let mut line = format!("{:?} {}", ddl.kind, tables.join(","));
    let flags = [
        (ddl.conditional, " conditional"),
        (ddl.temporary, " temporary"),
        (ddl.query.is_some(), " query"),
        (ddl.references, " references"),
        (ddl.program, " program"),
    ];
    flags.iter().filter(|(set, _)| *set).for_each(|(_, name)| line += name);
    line += ddl.database.as_deref().unwrap_or_default();
    line
}

fn transaction(transaction: &Transaction) -> String {
    let flag = |set: bool, name: &str| if set { format!(" {name}") } else { String::new() };
    match transaction {
        Transaction::Begin { read_only, snapshot } => {
            format!("begin{}{}", flag(*read_only, "read only"), flag(*snapshot, "snapshot"))
        }
        Transaction::Commit { chain, release } => {
            format!("commit{}{}", flag(*chain, "chain"), flag(*release, "release"))
        }
        Transaction::Rollback { chain, release } => {
            format!("rollback{}{}", flag(*chain, "chain"), flag(*release, "release"))
        }
        Transaction::Savepoint(name) => format!("savepoint {}", name.value),
        Transaction::RollbackTo(name) => format!("rollback to {}", name.value),
        Transaction::ReleaseSavepoint(name) => format!("release {}", name.value),
        Transaction::Xa => "xa".into(),
    }
}

fn show_line(sql: &str, show: &Show) -> String {
    let mut line = match &show.kind {
        ShowKind::Other(words) => format!("other {words}"),
        kind => format!("{kind:?}"),
    };
    if show.full {
        line += " full";
    }
    if let Some(table) = &show.table {
        line += &format!(" table [{}]", &sql[table.span.range()]);
    }
    if let Some((name, span)) = &show.schema {
        line += &format!(" schema {} [{}]", name.value, &sql[span.range()]);
    }
    if let Some(filter) = show.filter {
        line += &format!(" filter [{}]", &sql[filter.range()]);
    }
    line
}

fn check(sql: &str, expect: &str) {
    assert_eq!(describe(sql), expect, "{sql}");
}

#[test]
fn transactions() {
    check("BEGIN", "begin");
    check("begin work;", "begin");
    check("START TRANSACTION", "begin");
    check("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT", "begin read only snapshot");
    check("START TRANSACTION READ WRITE", "begin");
    check("COMMIT", "commit");
    check("COMMIT WORK AND CHAIN", "commit chain");
    check("COMMIT AND NO CHAIN RELEASE", "commit release");
    check("ROLLBACK", "rollback");
    check("ROLLBACK WORK AND CHAIN NO RELEASE", "rollback chain");
    check("ROLLBACK TO a", "rollback to a");
    check("ROLLBACK WORK TO SAVEPOINT `a b`", "rollback to a b");
    check("SAVEPOINT sp1", "savepoint sp1");
    check("RELEASE SAVEPOINT sp1", "release sp1");
    check("XA START 'x', 'y'", "xa");
    check("BEGIN NOT ATOMIC SELECT 1; END", "other BEGIN NOT ATOMIC");
}

#[test]
fn sets() {
    check("SET autocommit = 0", "autocommit = 0");
    check("SET autocommit := ON, @a = 1 + 1", "autocommit = 'ON'; @a = {sum: 1, 1}");
    check("SET @@session.sql_mode = 'ANSI'", "Session.sql_mode = 'ANSI'");
    check("SET @@Foo_Bar = DEFAULT", "foo_bar = DEFAULT");
    check(
        "SET SESSION a = 1, b = 2, GLOBAL c = 3, @@d = 4",
        "Session.a = 1; Session.b = 2; Global.c = 3; d = 4",
    );
    check("SET LOCAL time_zone = '+00:00'", "Session.time_zone = '+00:00'");
    check("SET PERSIST x = 1", "Persist.x = 1");
    check("SET character_set_results = utf8mb4", "character_set_results = 'utf8mb4'");
    check("SET character_set_results = NULL", "character_set_results = NULL");
    check("SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", "sql_mode = concat(@@sql_mode, ',ANSI')");
    check("SET @a = (SELECT 1), @`b c` = b", "@a = query; @b c = b");
    check("SET SQL_BIG_SELECTS=1", "sql_big_selects = 1");
    check("SET binlog_format = BINARY", "binlog_format = 'BINARY'");
    check("SET names = 1", "names = 1");
    check("SET NAMES utf8mb4", "names utf8mb4 DEFAULT");
    check("SET NAMES 'UTF8' COLLATE 'utf8_bin'", "names utf8 utf8_bin");
    check("SET NAMES binary", "names binary DEFAULT");
    check("SET NAMES DEFAULT", "names DEFAULT DEFAULT");
    check(
        "SET autocommit = 1, NAMES utf8mb4 COLLATE utf8mb4_bin, @a = 2",
        "autocommit = 1; NAMES utf8mb4 COLLATE utf8mb4_bin; @a = 2",
    );
    check("SET NAMES latin1, sql_mode = ''", "NAMES latin1; sql_mode = ''");
    check("SET @a = 1, CHARACTER SET 'utf8'", "@a = 1; CHARACTER SET 'utf8'");
    check("SET CHARACTER SET latin1", "character set latin1 DEFAULT");
    check("SET CHARSET DEFAULT", "character set DEFAULT DEFAULT");
    check("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "None Some(\"READ-COMMITTED\") None");
    check(
        "SET SESSION TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE",
        "Some(Session) Some(\"SERIALIZABLE\") Some(true)",
    );
    check("SET GLOBAL TRANSACTION READ WRITE", "Some(Global) None Some(false)");
    check(
        "SET transaction_isolation = 'REPEATABLE-READ'",
        "transaction_isolation = 'REPEATABLE-READ'",
    );
    check("SET PASSWORD = 'x'", "other SET PASSWORD");
    check("SET PASSWORD FOR 'u'@'h' = 'x'", "other SET PASSWORD");
    check("SET ROLE NONE", "other SET ROLE");
    check("SET DEFAULT ROLE r TO u", "other SET DEFAULT ROLE");
    check("SET STATEMENT max_statement_time = 1 FOR SELECT 1", "other SET STATEMENT");
}

#[test]
fn shows() {
    check("SHOW DATABASES", "Databases");
    check("SHOW SCHEMAS LIKE 'a%'", "Databases filter [LIKE 'a%']");
    check("SHOW TABLES", "Tables");
    check(
        "SHOW FULL TABLES FROM `s` WHERE Table_type = 'VIEW'",
        "Tables full schema s [FROM `s`] filter [WHERE Table_type = 'VIEW']",
    );
    check("SHOW EXTENDED FULL TABLES IN s", "Tables full schema s [IN s]");
    check(
        "SHOW TABLE STATUS FROM s LIKE 't'",
        "List(TableStatus) schema s [FROM s] filter [LIKE 't']",
    );
    check(
        "SHOW FULL COLUMNS FROM t FROM s LIKE 'a'",
        "Columns full table [t] schema s [FROM s] filter [LIKE 'a']",
    );
    check("SHOW FIELDS IN s.t", "Columns table [s.t]");
    check("SHOW INDEX FROM t", "Index table [t]");
    check(
        "SHOW KEYS FROM t IN s WHERE Key_name = 'PRIMARY'",
        "Index table [t] schema s [IN s] filter [WHERE Key_name = 'PRIMARY']",
    );
    check("SHOW CREATE TABLE s.t", "CreateTable table [s.t]");
    check("SHOW CREATE VIEW v", "Create(View) table [v]");
    check("SHOW CREATE DATABASE IF NOT EXISTS s", "CreateDatabase schema s [s]");
    check("SHOW CREATE PROCEDURE p", "Create(Procedure) table [p]");
    check("SHOW VARIABLES LIKE 'a'", "Variables { global: false } filter [LIKE 'a']");
    check("SHOW GLOBAL VARIABLES", "Variables { global: true }");
    check("SHOW SESSION STATUS WHERE 1", "Status { global: false } filter [WHERE 1]");
    check("SHOW WARNINGS LIMIT 5", "Warnings { count: false } filter [LIMIT 5]");
    check("SHOW COUNT(*) WARNINGS", "Warnings { count: true }");
    check("SHOW COUNT(*) ERRORS", "Errors { count: true }");
    check("SHOW ERRORS", "Errors { count: false }");
    check("SHOW FULL PROCESSLIST", "Processlist full");
    check("SHOW CHARACTER SET LIKE 'utf8%'", "Server filter [LIKE 'utf8%']");
    check("SHOW COLLATION WHERE Charset = 'latin1'", "Server filter [WHERE Charset = 'latin1']");
    check("SHOW STORAGE ENGINES", "Server");
    check("SHOW ENGINE INNODB STATUS", "other ENGINE INNODB STATUS");
    check("SHOW TRIGGERS FROM s LIKE 't'", "List(Triggers) schema s [FROM s] filter [LIKE 't']");
    check("SHOW REPLICA STATUS", "other REPLICA STATUS");
    check("SHOW GRANTS FOR CURRENT_USER()", "Grants");
    check("SHOW BINARY LOGS", "other BINARY LOGS");
}

#[test]
fn ddls() {
    check(
        "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(10) DEFAULT 'x;y') ENGINE=InnoDB",
        "CreateTable t",
    );
    check(
        "CREATE TEMPORARY TABLE IF NOT EXISTS s.t (a INT)",
        "CreateTable s.t conditional temporary",
    );
    check("CREATE TABLE t LIKE s.u", "CreateTable t,s.u");
    check("CREATE TABLE t (LIKE u)", "CreateTable t,u");
    check("CREATE TABLE t SELECT * FROM u", "CreateTable t query");
    check("CREATE TABLE t (a INT) ENGINE=InnoDB IGNORE AS (SELECT 1)", "CreateTable t query");
    check("CREATE TABLE t AS WITH c AS (SELECT 1) SELECT * FROM c", "CreateTable t query");
    check(
        "CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES s.u (b) ON DELETE CASCADE, c INT REFERENCES v (d))",
        "CreateTable t,s.u,v references",
    );
    check(
        "CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10))",
        "CreateTable t",
    );
    check("CREATE OR REPLACE TABLE t (a INT) WITH SYSTEM VERSIONING", "CreateTable t");
    check("ALTER TABLE s.t ADD COLUMN a INT, DROP INDEX i", "AlterTable s.t");
    check("ALTER IGNORE TABLE t RENAME TO s.u", "AlterTable t,s.u");
    check("ALTER TABLE t RENAME COLUMN a TO b, RENAME INDEX c TO d", "AlterTable t");
    check(
        "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (a)",
        "AlterTable t,u references",
    );
    check("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", "AlterTable t,u");
    check("DROP TABLE t", "DropTable t");
    check("DROP TEMPORARY TABLE IF EXISTS t, s.u CASCADE", "DropTable t,s.u conditional temporary");
    check("TRUNCATE t", "TruncateTable t");
    check("TRUNCATE TABLE s.t", "TruncateTable s.t");
    check("RENAME TABLE a TO b, s.c TO s.d", "RenameTable a,b,s.c,s.d");
    check("CREATE UNIQUE INDEX i USING BTREE ON t (a, b)", "CreateIndex t");
    check("CREATE FULLTEXT INDEX i ON s.t (a) WITH PARSER ngram", "CreateIndex s.t");
    check("DROP INDEX i ON t ALGORITHM=INPLACE", "DropIndex t");
    check("DROP INDEX `PRIMARY` ON t", "DropIndex t");
    check("CREATE VIEW v AS SELECT 1", "CreateView v query");
    check(
        "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW s.v (a) AS SELECT 1 WITH CASCADED CHECK OPTION",
        "CreateView s.v query",
    );
    check("ALTER SQL SECURITY DEFINER VIEW v AS SELECT 1", "CreateView v query");
    check("DROP VIEW IF EXISTS v, w", "DropView v,w conditional");
    check(
        "CREATE DATABASE IF NOT EXISTS s DEFAULT CHARACTER SET utf8mb4",
        "CreateDatabase  conditionals",
    );
    check("DROP SCHEMA IF EXISTS s", "DropDatabase  conditionals");
    check("ALTER DATABASE s CHARACTER SET utf8mb4", "Other ");
    check("CREATE USER 'u'@'%' IDENTIFIED BY 'x'", "Other ");
    check(
        "CREATE DEFINER=`a`@`%` TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
        "Other  program",
    );
    check("CREATE PROCEDURE p() BEGIN SELECT 1; END", "Other  program");
    check("DROP PROCEDURE IF EXISTS p", "Other  program");
}

#[test]
fn others() {
    check("", "empty");
    check(" /* nothing */ ; ", "empty");
    check("-- nothing", "empty");
    check("USE `shop`", "use shop");
    check("DESCRIBE t", "describe t");
    check("DESC s.t 'a%'", "describe s.t");
    check("EXPLAIN t a", "describe t");
    check("EXPLAIN SELECT 1", "explain [SELECT 1] query");
    check("DESC UPDATE t SET a = 1", "explain [UPDATE t SET a = 1] update");
    check("EXPLAIN FORMAT=MARGAY (SELECT 1)", "explain margay [(SELECT 1)] query");
    check("EXPLAIN FORMAT = JSON DELETE FROM t", "explain [DELETE FROM t] delete");
    check("EXPLAIN FORMAT='TREE' SELECT 1", "explain [SELECT 1] query");
    check("EXPLAIN ANALYZE SELECT 1", "explain analyze [SELECT 1] query");
    check("EXPLAIN ANALYZE FORMAT=TREE TABLE t", "explain analyze [TABLE t] query");
    check("EXPLAIN EXTENDED SELECT 1", "explain [SELECT 1] query");
    check("EXPLAIN FORMAT=MARGAY SHOW TABLES", "explain margay [SHOW TABLES] Tables");
    check("EXPLAIN FOR CONNECTION 5", "other EXPLAIN FOR");
    check("PREPARE s FROM 'SELECT ?'", "prepare s");
    check("EXECUTE s USING @a", "execute using 1");
    check("DEALLOCATE PREPARE s", "deallocate s");
    check("DROP PREPARE s", "deallocate s");
    check("KILL 5", "kill 5");
    check("KILL CONNECTION 5", "kill 5");
    check("KILL QUERY 18446744073709551615", "kill 18446744073709551615 query");
    check(
        "LOCK TABLES t READ, u AS v LOW_PRIORITY WRITE, w READ LOCAL",
        "lock t READ, u v LOW_PRIORITY WRITE, w READ LOCAL",
    );
    check("LOCK TABLE t READ /*!32311 LOCAL */, `u` `V` write", "lock t READ LOCAL, u V WRITE");
    check("LOCK TABLES t WRITE WAIT 5", "lock t WRITEWAIT 5");
    check("LOCK TABLES t WRITE NOWAIT", "lock t WRITENOWAIT");
    check("LOCK TABLE s.t x READ", "lock t x READ");
    check("UNLOCK TABLES", "other UNLOCK TABLES");
    check("LOCK INSTANCE FOR BACKUP", "other LOCK INSTANCE");
    check("LOAD DATA INFILE 'x' INTO TABLE t", "other LOAD DATA");
    check("CALL s.p(1, @a)", "call s.p(2)");
    load_data();
    check("CALL p", "call p(0)");
    check("DO SLEEP(1), 2", "do 2");
    check("EXECUTE IMMEDIATE 'SELECT ?' USING 1 + 1", "execute using 1");
    check("HANDLER t OPEN", "handler t Open(None)");
    check("HANDLER t READ i = (1) LIMIT 2", "handler t Read");
    check("HANDLER t CLOSE", "handler t Close");
    check("ANALYZE TABLE t", "other ANALYZE TABLE");
    check("GRANT SELECT ON s.* TO 'u'@'h'", "other GRANT");
    check("FLUSH TABLES", "other FLUSH TABLES");
    check("START REPLICA", "other START REPLICA");
    check("RESET MASTER", "other RESET MASTER");
    let expect = "KILL takes the number of a connection as SHOW PROCESSLIST tells it";
    assert!(refusal("KILL USER x").contains(expect));
    assert!(refusal("FOO BAR").contains("near 'FOO BAR'"));
    assert!(refusal("EXPLAIN FORMAT=MARGAY EXPLAIN SELECT 1").contains("near 'EXPLAIN SELECT 1'"));
}

fn load_data() {
    let check = |sql: &str, expect: &str| assert_eq!(describe(sql), expect);
    check(
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
        r"load x into t replace=false None [\t  \\  \n]  () set 0",
    );
    check(
        r#"LOAD DATA CONCURRENT LOCAL INFILE 'x' REPLACE INTO TABLE s.t PARTITION (p0) CHARACTER SET
         UTF8MB4 COLUMNS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES STARTING BY
         0x41 TERMINATED BY '\r\n' IGNORE 2 ROWS (a, @B, t.c) SET b = @b + 1, d = DEFAULT"#,
        r#"load x into t replace=true Some("utf8mb4") [, \"  A \r\n] IGNORE 2 ROWS (a @b c) set 2"#,
    );
    check(
        "LOAD DATA LOW_PRIORITY LOCAL INFILE 'x' IGNORE INTO TABLE t FIELDS ENCLOSED BY '''' ()",
        r"load x into t replace=false None [\t \' \\  \n]  () set 0",
    );
    assert!(refusal("LOAD DATA LOCAL INFILE 'x' INTO TABLE t FIELDS").contains("near ''"));
}

#[test]
fn hints() {
    let statement = parsed("/*margay: shard=c0/shop_1 timeout=2s */ SELECT 1");
    assert_eq!(statement.hints.shard.as_deref(), Some("c0/shop_1"));
    assert_eq!(statement.hints.timeout_ms, Some(2000));
    assert!(refusal("SELECT /*margay: promary */ 1").contains("unknown margay hint `promary`"));
}
