//! SHOW and DESCRIBE.

use super::Session;
use super::local::{Heading, cell, text_row};
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result, ServerError};
use crate::execute::reply::Rows;
use crate::execute::views::COLUMNS_OF_VIEW;
use crate::execute::{Reply, look};
use crate::plan::template::Target;
use crate::plan::views::View;
use crate::protocol::row::TextValues;
use crate::sql::Mode;
use crate::sql::query::TableName;
use crate::sql::quote;
use crate::sql::scanner::{scan, syntax_error};
use crate::sql::splice::Splices;
use crate::sql::statement::{Show, ShowKind, Statement};
use crate::sql::token::{Token, TokenKind};

impl Session {
    pub(super) async fn show(
        &mut self,
        text: &[u8],
        statement: &Statement,
        show: &Show,
    ) -> Result<Reply> {
        match &show.kind {
            ShowKind::Databases => self.show_databases(text, show).await,
            ShowKind::Tables => self.show_tables(text, show).await,
            ShowKind::Columns | ShowKind::Index | ShowKind::CreateTable => match &show.table {
                Some(table) => self.show_of_table(text, show, table).await,
                None => Err(Error::unsupported("SHOW without a table name")),
            },
            ShowKind::Variables { global } => self.show_variables(text, show, *global).await,
            ShowKind::Status { global: false } => self.show_session_status(text).await,
            ShowKind::Status { global: true } | ShowKind::Server => self.run_at_home(text).await,
            ShowKind::Warnings { count } | ShowKind::Errors { count } => {
                let errors_only = matches!(show.kind, ShowKind::Errors { .. });
                let window = window(text, show, &self.mode)?;
                Ok(self.show_warnings(*count, errors_only, window))
            }
            ShowKind::MargayTransaction(id) => {
                let (state, clusters) = self.snapshot.coordinator.outcome(id).await?;
                let headings = [
                    Heading::Text("Transaction"),
                    Heading::Text("State"),
                    Heading::Text("Clusters"),
                ];
                let row = vec![cell(id.as_str()), cell(state), cell(clusters)];
                Ok(self.rows(&headings, vec![row]))
            }
            ShowKind::MargayPins => Ok(self.show_pins()),
            ShowKind::Processlist => Ok(self.show_processlist(show.full)),
            ShowKind::List(listing) => self.show_listing(text, show, *listing).await,
            ShowKind::Create(created) => self.show_created(text, show, *created).await,
            ShowKind::CreateDatabase => self.show_create_database(text, show).await,
            ShowKind::Grants => Ok(self.show_grants()),
            ShowKind::Other(words) => self.other(text, statement, &format!("SHOW {words}")).await,
        }
    }

    async fn show_databases(&self, text: &[u8], show: &Show) -> Result<Reply> {
        let mut names: Vec<String> = vec!["information_schema".to_owned()];
        names.extend(
            self.snapshot.catalog.schemas.keys().filter(|name| self.may_use(name)).cloned(),
        );
        names.sort();
        let names = self.filtered(text, show, names, "Database", None).await?;
        let heading = match super::tables::like_pattern(text, show) {
            Some(pattern) => format!("Database ({pattern})"),
            None => "Database".to_owned(),
        };
        Ok(self.rows(&[Heading::Text(&heading)], one_column(names)))
    }

    fn show_warnings(
        &self,
        count: bool,
        errors_only: bool,
        (offset, rows): (usize, usize),
    ) -> Reply {
        let list = self.warnings.list.iter();
        let list = list.filter(|warning| !errors_only || warning.level == b"Error");
        if count {
            let (name, number) = if errors_only {
                ("@@session.error_count", list.count() as u64)
            } else {
                ("@@session.warning_count", self.warnings.count)
            };
            return self.rows(&[Heading::Number(name)], vec![vec![cell(number.to_string())]]);
        }
        let list = list.skip(offset).take(rows).map(|warning| {
            vec![
                cell(warning.level.clone()),
                cell(warning.code.to_string()),
                cell(warning.message.clone()),
            ]
        });
        let headings = [Heading::Text("Level"), Heading::Code("Code"), Heading::Text("Message")];
        self.rows(&headings, list.collect())
    }

    fn show_processlist(&self, full: bool) -> Reply {
        const SHORT: usize = 100;
        let list = self.own_sessions().into_iter().map(|session| {
            let (command, state) = (session.command(), session.state());
            let info = session.statement.map(|statement| {
                if full {
                    statement
                } else {
                    statement.get(..SHORT).map(<[u8]>::to_vec).unwrap_or(statement)
                }
            });
            vec![
                cell(session.id.to_string()),
                cell(session.user),
                cell(session.host),
                session.schema.map(String::into_bytes),
                cell(command),
                cell(session.seconds.to_string()),
                cell(state),
                info,
            ]
        });
        let headings = [
            Heading::Number("Id"),
            Heading::Text("User"),
            Heading::Text("Host"),
            Heading::Text("db"),
            Heading::Text("Command"),
            Heading::Number("Time"),
            Heading::Text("State"),
            Heading::Text("Info"),
        ];
        self.rows(&headings, list.collect())
    }

    /// `DESCRIBE t` is what the first physical table says.
    pub(super) async fn describe(&mut self, text: &[u8], table: &TableName) -> Result<Reply> {
        if self.is_system_table(table) {
            return self
                .show_system(text, table.schema.is_none().then_some(table.span.start))
                .await;
        }
        if let Some(view) = self.view(table).await? {
            let mut splices = Splices::new();
            splices.replace(table.span, quote::identifier(COLUMNS_OF_VIEW.as_bytes()));
            return self.view_columns(&view, &splices.apply(text)?).await;
        }
        let (target, name) = self.first_physical(table)?;
        let mut splices = Splices::new();
        splices.replace(table.span, quote::identifier(name.as_bytes()));
        self.run_at(&splices.apply(text)?, &target).await
    }

    async fn show_of_table(
        &mut self,
        text: &[u8],
        show: &Show,
        table: &TableName,
    ) -> Result<Reply> {
        let mut named = table.clone();
        if let Some((schema, _)) = &show.schema {
            named.schema = Some(schema.clone());
        }
        if self.is_system_table(&named) {
            return self
                .show_system(text, named.schema.is_none().then_some(table.span.start))
                .await;
        }
        if let Some(view) = self.view(&named).await? {
            return self.show_of_view(text, show, table, &view).await;
        }
        let (target, name) = self.first_physical(&named)?;
        if show.kind == ShowKind::Index
            && let Some(logical) = self.split_table(&named)
        {
            let (schema, table) = (logical.schema.as_str(), logical.name.as_str());
            return self.show_indexes(text, show, (schema, table), (&target, &name)).await;
        }
        let mut splices = Splices::new();
        splices.replace(table.span, quote::identifier(name.as_bytes()));
        if let Some((_, span)) = &show.schema {
            splices.remove(*span);
        }
        let reply = self.run_at(&splices.apply(text)?, &target).await?;
        if show.kind == ShowKind::CreateTable
            && let Some(logical) = self.split_table(&named)
        {
            let reply = match name == table.name.value {
                true => reply,
                false => self.rename_cells(reply, &target).await?,
            };
            return self.with_next_number(reply, &logical).await;
        }
        if show.kind == ShowKind::Columns || name == table.name.value {
            return Ok(reply);
        }
        self.rename_cells(reply, &target).await
    }

    /// SHOW CREATE TABLE of a table in several parts tells the next number of all.
    async fn with_next_number(&mut self, reply: Reply, table: &Table) -> Result<Reply> {
        let Reply::Rows(mut shown) = reply else { return Ok(reply) };
        let columns = std::mem::take(&mut shown.columns).into_vec();
        let mut rows = Vec::new();
        while let Some(row) = shown.next().await? {
            let cells: Vec<Option<Vec<u8>>> = TextValues::new(&row)
                .map(|cell| Ok(cell?.map(<[u8]>::to_vec)))
                .collect::<Result<_>>()?;
            let [name, Some(definition)] = cells.as_slice() else {
                rows.push(row);
                continue;
            };
            let word = b" AUTO_INCREMENT";
            let numbered = definition.windows(word.len()).any(|window| window == word);
            let next = if numbered { self.snapshot.next_number(table).await? } else { None };
            let definition = match next {
                Some(next) => look::with_next_number(definition, next),
                None => definition.clone(),
            };
            rows.push(text_row(&[name.clone(), cell(definition)]));
        }
        self.finish(&mut shown, rows.len() as u64, None);
        Ok(Reply::Rows(Rows::local(columns, rows)))
    }

    /// SHOW COLUMNS, INDEX and CREATE TABLE of a view that Margay keeps.
    async fn show_of_view(
        &mut self,
        text: &[u8],
        show: &Show,
        table: &TableName,
        view: &View,
    ) -> Result<Reply> {
        if show.kind == ShowKind::CreateTable {
            return self.show_create_view(view).await;
        }
        let mut splices = Splices::new();
        splices.replace(table.span, quote::identifier(COLUMNS_OF_VIEW.as_bytes()));
        if let Some((_, span)) = &show.schema {
            splices.remove(*span);
        }
        self.view_columns(view, &splices.apply(text)?).await
    }

    /// Shows logical names in rows that hold physical ones. Such results are small.
    pub(super) async fn rename_cells(&mut self, reply: Reply, target: &Target) -> Result<Reply> {
        let Reply::Rows(mut result) = reply else { return Ok(reply) };
        let columns = std::mem::take(&mut result.columns).into_vec();
        let mut renamed = Vec::new();
        let outcome = loop {
            match result.next().await {
                Ok(Some(row)) => match self.snapshot.rename_row(&row, target) {
                    Ok(row) => renamed.push(row),
                    Err(error) => break Err(error),
                },
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.finish(&mut result, renamed.len() as u64, outcome.as_ref().err());
        outcome?;
        Ok(Reply::Rows(Rows::local(columns, renamed)))
    }

    /// Runs a text as it is on the current schema's default shard.
    pub(super) async fn run_at_home(&mut self, text: &[u8]) -> Result<Reply> {
        let schema = self.schema.as_deref().and_then(|name| self.snapshot.catalog.schema(name));
        let schema = schema.or_else(|| self.snapshot.catalog.schemas.values().next());
        let shard = schema
            .map(|schema| schema.default_shard)
            .ok_or_else(|| Error::unsupported("the rules have no schema"))?;
        self.run_at(text, &Target { shard, part: None }).await
    }

    /// Runs a text on the shard that a hint names.
    pub(super) async fn run_on_shard(&mut self, text: &[u8], shard: &str) -> Result<Reply> {
        let shard = self.snapshot.catalog.shard_named(shard).ok_or_else(|| {
            Error::unsupported(format!(
                "there is no shard `{shard}`; see `margay check` for the names"
            ))
        })?;
        self.run_unknown_at(text, &Target { shard, part: None }).await
    }

    pub(super) fn kill(&self, statement_only: bool, id: u64) -> Result<Reply> {
        use super::registry::Kill;
        let kill = if statement_only { Kill::Statement } else { Kill::Connection };
        let id32 = u32::try_from(id).unwrap_or(u32::MAX);
        let registry = &self.shared.registry;
        match registry.user_of(id32) {
            Some(user) if user != self.identity.user => Err(Error::server(ServerError {
                code: 1095,
                state: *b"HY000",
                message: format!("You are not owner of thread {id}").into_bytes(),
            })),
            Some(_) if registry.kill(id32, kill) => match id32 == self.identity.connection_id {
                true => Err(self.killed_itself(statement_only)),
                false => Ok(Reply::Done(crate::execute::Summary::default())),
            },
            _ => Err(Error::server(ServerError {
                code: 1094,
                state: *b"HY000",
                message: format!("Unknown thread id: {id}").into_bytes(),
            })),
        }
    }
}

impl Session {
    /// What a server says to who kills itself.
    fn killed_itself(&self, statement_only: bool) -> Error {
        if statement_only || !self.is_mariadb() {
            return Error::new(ErrorKind::Killed, "Query execution was interrupted");
        }
        Error::server(ServerError {
            code: 1927,
            state: *b"70100",
            message: b"Connection was killed".to_vec(),
        })
    }
}

/// Offset and number of rows by the LIMIT of SHOW WARNINGS.
fn window(text: &[u8], show: &Show, mode: &Mode) -> Result<(usize, usize)> {
    let Some(limit) = show.filter.and_then(|span| text.get(span.range())) else {
        return Ok((0, usize::MAX));
    };
    let number = |token: &&Token| token.kind == TokenKind::Integer;
    let scan = scan(limit, mode)?;
    let numbers = scan.tokens.iter().filter(number).map(|token| {
        let digits = limit.get(token.span.range()).unwrap_or_default();
        String::from_utf8_lossy(digits).parse().unwrap_or(usize::MAX)
    });
    let kinds: Vec<TokenKind> = scan.tokens.iter().skip(1).map(|token| token.kind).collect();
    let tail = kinds
        .iter()
        .position(|kind| matches!(kind, TokenKind::End | TokenKind::Semicolon))
        .unwrap_or_default();
    match (kinds.get(..tail).unwrap_or_default(), numbers.collect::<Vec<usize>>().as_slice()) {
        ([TokenKind::Integer], [rows]) => Ok((0, *rows)),
        ([TokenKind::Integer, TokenKind::Comma, TokenKind::Integer], [offset, rows])
        | ([TokenKind::Integer, TokenKind::Word, TokenKind::Integer], [rows, offset]) => {
            Ok((*offset, *rows))
        }
        _ => {
            let at = show.filter.map_or(0, |span| span.start as usize);
            Err(syntax_error(text, at))
        }
    }
}

pub(super) fn one_column(names: Vec<String>) -> Vec<Vec<Option<Vec<u8>>>> {
    names.into_iter().map(|name| vec![cell(name)]).collect()
}
