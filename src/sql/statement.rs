//! Every statement of a client, classified.

use super::expr::{ColumnName, Expr, Name};
use super::load::LoadData;
use super::query::{Limit, OrderItem, Query, TableExpr, TableName, TableRef};
use super::span::Span;

/// One statement of a client. Spans point into the text it was parsed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub hints: Hints,
    /// Number of `?`.
    pub params: u16,
}

/// What `/*margay: ... */` comments ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hints {
    /// `primary`: read from primaries.
    pub primary: bool,
    /// `shard=c0/shop_1`: run on this shard only, unchanged.
    pub shard: Option<String>,
    /// `read=strong`
    pub read: Option<Consistency>,
    /// `timeout=5s` in milliseconds.
    pub timeout_ms: Option<u64>,
}

/// What a read may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    Eventual,
    Session,
    Strong,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// SELECT, VALUES, TABLE, WITH ... SELECT, parenthesized or not.
    Query(Box<Query>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Ddl(Ddl),
    Transaction(Transaction),
    Set(Vec<Assignment>),
    /// `SET NAMES cs [COLLATE c]`, `SET CHARACTER SET cs`; None is DEFAULT.
    SetNames {
        charset: Option<String>,
        collation: Option<String>,
        character_set: bool,
    },
    /// `SET [SESSION|GLOBAL] TRANSACTION ...`.
    SetTransaction {
        scope: Option<Scope>,
        isolation: Option<String>,
        read_only: Option<bool>,
    },
    Use(Name),
    Show(Show),
    /// `DESCRIBE t`, `DESC t col`, `EXPLAIN t`.
    Describe {
        table: TableName,
    },
    Explain(Box<Explain>),
    /// `PREPARE name FROM ...`: a string, a user variable, or with MariaDB any expression.
    Prepare {
        name: Name,
        from: Expr,
    },
    Execute(Execute),
    /// `DEALLOCATE PREPARE name`, `DROP PREPARE name`.
    Deallocate(Name),
    Call(Call),
    /// `DO a, b`: the expressions, and where the keyword ends.
    Do {
        values: Vec<Expr>,
        at: u32,
    },
    Kill {
        query: bool,
        id: u64,
    },
    /// The tables of `LOCK TABLES`.
    LockTables(TableLocks),
    Handler(Handler),
    /// `LOAD DATA LOCAL INFILE`
    Load(Box<LoadData>),
    /// `UNLOCK TABLES`, `LOAD DATA INFILE`, `XA`, `GRANT`, `ANALYZE` ...: the
    /// first words in upper case. Refused, or run on one shard where the planner can prove which.
    Other(String),
    /// Nothing but comments and white space.
    Empty,
}

/// `EXECUTE name USING @a, @b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Execute {
    pub source: ExecuteSource,
    pub using: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExecuteSource {
    Name(Name),
    /// `EXECUTE IMMEDIATE ...` (MariaDB).
    Immediate(Box<Expr>),
}

/// `HANDLER name ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// The table that is opened, or the name of an open handler.
    pub name: TableName,
    pub action: HandlerAction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerAction {
    /// OPEN [AS alias]
    Open(Option<Name>),
    Read,
    Close,
}

/// `CALL procedure(a, b)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Named like a table: `[schema.]name`.
    pub procedure: TableName,
    pub args: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    pub replace: bool,
    pub ignore: bool,
    pub table: TableName,
    pub partitions: bool,
    /// None: no column list.
    pub columns: Option<Vec<Name>>,
    /// Right behind the parenthesis that opens the column list.
    pub columns_start: Option<u32>,
    pub source: InsertSource,
    /// `ON DUPLICATE KEY UPDATE`.
    pub on_duplicate: Vec<ColumnAssignment>,
    /// `VALUES (...) AS new(a, b)`.
    pub row_alias: Option<Name>,
    /// `RETURNING` (MariaDB): its expressions, without `*`.
    pub returning: Option<Vec<Expr>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum InsertSource {
    /// Each row's span includes its parentheses; `span` covers all rows. An empty row is `()`.
    Values {
        rows: Vec<InsertRow>,
        span: Span,
    },
    /// `INSERT ... SET a = 1, b = 2`.
    Set(Vec<ColumnAssignment>),
    Query(Box<Query>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct InsertRow {
    pub span: Span,
    pub values: Vec<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ColumnAssignment {
    pub column: ColumnName,
    pub value: Expr,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub ignore: bool,
    pub from: Vec<TableExpr>,
    /// All of `from`.
    pub from_span: Span,
    pub assignments: Vec<ColumnAssignment>,
    pub filter: Option<Expr>,
    pub order_by: Vec<OrderItem>,
    pub limit: Option<Limit>,
    pub with: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    pub ignore: bool,
    /// Multi-table form: the names before FROM (or after, with USING). Empty: single-table form.
    pub targets: Vec<TableName>,
    pub from: Vec<TableExpr>,
    /// All of `from`.
    pub from_span: Span,
    /// Behind DELETE and its modifiers.
    pub head_end: u32,
    pub filter: Option<Expr>,
    pub order_by: Vec<OrderItem>,
    pub limit: Option<Limit>,
    pub with: bool,
    /// `RETURNING` (MariaDB): its expressions, without `*`.
    pub returning: Option<Vec<Expr>>,
}

/// Data definition: the head is parsed, the rest is only passed on.
#[derive(Debug, Clone, PartialEq)]
pub struct Ddl {
    pub kind: DdlKind,
    /// Tables in the order of the text. For CREATE TABLE the new table comes first; tables named by
    /// LIKE, REFERENCES or AS SELECT follow.
    pub tables: Vec<TableName>,
    /// `IF NOT EXISTS`, `IF EXISTS`.
    pub conditional: bool,
    /// `CREATE TEMPORARY TABLE`, `DROP TEMPORARY TABLE`.
    pub temporary: bool,
    /// `CREATE TABLE ... [AS] SELECT`, the definition of a view.
    pub query: Option<Box<Query>>,
    /// `REFERENCES` (a foreign key) occurs.
    pub references: bool,
    /// Of CREATE VIEW and ALTER VIEW.
    pub view: Option<Box<ViewHead>>,
    /// The name that CREATE DATABASE or DROP DATABASE gives.
    pub database: Option<String>,
    /// It defines, changes or drops a procedure, function, trigger or event.
    pub program: bool,
}

/// What a CREATE VIEW or ALTER VIEW says beside its name and its query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewHead {
    /// ALTER VIEW: there is one already.
    pub alter: bool,
    /// OR REPLACE
    pub replace: bool,
    /// `MERGE`, `TEMPTABLE`, `UNDEFINED`; None if not given.
    pub algorithm: Option<String>,
    /// What stands behind `DEFINER =`.
    pub definer: Option<Span>,
    /// SQL SECURITY INVOKER
    pub invoker: bool,
    pub columns: Vec<Name>,
    pub check: Option<CheckOption>,
}

/// `WITH ... CHECK OPTION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOption {
    Cascaded,
    Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DdlKind {
    CreateTable,
    AlterTable,
    DropTable,
    TruncateTable,
    RenameTable,
    CreateIndex,
    DropIndex,
    CreateView,
    DropView,
    CreateDatabase,
    DropDatabase,
    /// ALTER DATABASE, CREATE PROCEDURE, TRIGGER, EVENT, FUNCTION, USER ...
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN`, `START TRANSACTION`.
    Begin {
        read_only: bool,
        snapshot: bool,
    },
    Commit {
        chain: bool,
        release: bool,
    },
    Rollback {
        chain: bool,
        release: bool,
    },
    Savepoint(Name),
    RollbackTo(Name),
    ReleaseSavepoint(Name),
    /// `XA ...`.
    Xa,
}

/// One `name = expr` of a SET statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    pub target: SetTarget,
    pub value: Expr,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTarget {
    User(String),
    /// Lower-case variable name.
    System {
        scope: Option<Scope>,
        name: String,
    },
    /// `NAMES cs [COLLATE c]` or `CHARACTER SET cs` beside other assignments; the value is all of it.
    Names,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Session,
    Global,
    Persist,
}

/// SHOW, by what it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Show {
    pub kind: ShowKind,
    /// `FULL`
    pub full: bool,
    /// `FROM db` / `IN db`, with the keyword's span so that it can be spliced out.
    pub schema: Option<(Name, Span)>,
    pub table: Option<TableName>,
    /// From `LIKE` or `WHERE` to the end.
    pub filter: Option<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowKind {
    Databases,
    Tables,
    List(Listing),
    Columns,
    Index,
    CreateTable,
    CreateDatabase,
    /// `SHOW CREATE ...` of what lies in a schema beside tables; [`Show::table`] is its name.
    Create(Created),
    /// `SHOW GRANTS`, of the client itself.
    Grants,
    Variables {
        global: bool,
    },
    Status {
        global: bool,
    },
    Warnings {
        count: bool,
    },
    Errors {
        count: bool,
    },
    Processlist,
    /// `SHOW MARGAY TRANSACTION 'name'`: what became of it.
    MargayTransaction(String),
    /// `SHOW MARGAY PINS`: why the session is pinned to connections.
    MargayPins,
    /// Answered alike by every server: CHARSET, COLLATION, ENGINES, PLUGINS, PRIVILEGES ...
    Server,
    /// Anything else; the words in upper case.
    Other(String),
}

/// What SHOW lists of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    TableStatus,
    OpenTables,
    Triggers,
    Events,
    Procedures,
    Functions,
    /// MariaDB's.
    Packages,
    PackageBodies,
}

/// What SHOW CREATE shows beside tables and databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    View,
    Trigger,
    Procedure,
    Function,
    Event,
}

/// `EXPLAIN ... statement`.
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// `FORMAT=MARGAY`: Margay's own plan. Otherwise the shards' EXPLAIN is shown.
    pub margay: bool,
    pub analyze: bool,
    /// Where the explained statement starts in the text.
    pub at: u32,
    /// The explained statement; its spans are into the whole text.
    pub statement: Statement,
}

impl Update {
    /// The table of a single-table UPDATE.
    pub fn single_table(&self) -> Option<&TableRef> {
        single_table(&self.from)
    }
}

impl Delete {
    /// The table of a single-table DELETE.
    pub fn single_table(&self) -> Option<&TableRef> {
        if self.targets.is_empty() { single_table(&self.from) } else { None }
    }
}

fn single_table(from: &[TableExpr]) -> Option<&TableRef> {
    match from {
        [TableExpr::Table(table)] => Some(table),
        _ => None,
    }
}

/// `LOCK TABLES ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLocks {
    pub tables: Vec<TableLock>,
    /// MariaDB's WAIT or NOWAIT, as it stands in front of the end.
    pub wait: Option<String>,
}

/// One table of LOCK TABLES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLock {
    pub table: TableName,
    pub alias: Option<String>,
    /// In upper case: `READ`, `READ LOCAL`, `WRITE` ...
    pub kind: String,
}
